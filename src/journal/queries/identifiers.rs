//! The index of identifying values. All but its removal with an event, which belongs to pruning.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::event::{Event, EventId};
use crate::journal::database::{Database, Dialect, Param, rows};
use crate::journal::encoding::parse_write;
use crate::journal::identifiers::{IndexEntries, IndexProgress, Unindexed};
use crate::journal::row::{EVENT, RUN_ROW, Row, qualified};
use crate::journal::{Error, IdentifierKey, RunRow, Written};
use crate::run::RunId;

use super::lookup::{lookups, places};
use super::{values, writes};

/// The marker of how far the index goes.
const MARKER: &str = "identifiers_indexed";
/// Entries stored by one statement. A fixed number, so that one prepared statement serves all.
const STORED_AT_ONCE: usize = 256;

/// Events after a number.
pub(in crate::journal) const EVENTS_AFTER: &str =
    "SELECT seq, received, payload FROM events WHERE seq > $1 ORDER BY seq LIMIT $2";
/// Writes after a number, with the numbers of their runs' events.
pub(in crate::journal) const WRITES_AFTER: &str = "SELECT w.seq, r.event, w.fields
     FROM writes w LEFT JOIN runs r ON r.seq = w.run WHERE w.seq > $1 ORDER BY w.seq LIMIT $2";
/// The newest events with a value.
pub(in crate::journal) const BY_KEY: &str =
    "SELECT event FROM identifiers WHERE key = $1 ORDER BY event DESC LIMIT $2";

/// What is to be indexed next, up to `limit` events and writes each.
pub(in crate::journal) async fn unindexed<D: Database>(db: &D, limit: usize) -> Result<Unindexed, Error> {
    let before: IndexProgress = match values::marker(db, MARKER).await? {
        Some(marker) => serde_json::from_value(marker).unwrap_or_default(),
        None => IndexProgress::default(),
    };
    let mut found = Unindexed { progress: before, ..Unindexed::default() };
    for (seq, received, payload) in events_after(db, before.event, limit).await? {
        found.progress.event = seq;
        found.since.get_or_insert(received);
        found.contents.push((seq, payload));
    }
    for (seq, event, fields) in writes_after(db, before.write, limit).await? {
        found.progress.write = seq;
        found.contents.extend(event.map(|event| (event, fields)));
    }
    let late = D::Dialect::LATE_NUMBERS;
    if late > 0 && found.progress != before {
        // One may have been stored after a higher one.
        let again = events_after(db, before.event.saturating_sub(late), late as usize).await?;
        found.contents.extend(again.into_iter().map(|(seq, _, payload)| (seq, payload)));
        let again = writes_after(db, before.write.saturating_sub(late), late as usize).await?;
        found.contents.extend(again.into_iter().filter_map(|(_, event, fields)| Some((event?, fields))));
    }
    found.is_new = found.progress != before;
    Ok(found)
}

async fn events_after(
    db: &impl Database,
    seq: i64,
    limit: usize,
) -> Result<Vec<(i64, DateTime<Utc>, Value)>, Error> {
    let params = vec![seq.into(), Param::count(limit)];
    rows(db, EVENTS_AFTER, params, |row| Ok((row.integer()?, row.time()?, row.json()?))).await
}

async fn writes_after(
    db: &impl Database,
    seq: i64,
    limit: usize,
) -> Result<Vec<(i64, Option<i64>, Value)>, Error> {
    let params = vec![seq.into(), Param::count(limit)];
    let read = |row: &mut Row| Ok((row.integer()?, row.integer_or_none()?, parse_write(row.json()?)?.0));
    rows(db, WRITES_AFTER, params, read).await
}

/// Stores entries of the index, and how far it goes.
pub(in crate::journal) async fn index(db: &impl Database, entries: &IndexEntries) -> Result<(), Error> {
    let pairs: Vec<String> =
        (0..STORED_AT_ONCE).map(|pair| format!("(${}, ${})", pair * 2 + 1, pair * 2 + 2)).collect();
    let sql =
        format!("INSERT INTO identifiers (key, event) VALUES {} ON CONFLICT DO NOTHING", pairs.join(", "));
    let statements = entries.entries.chunks(STORED_AT_ONCE).map(|part| {
        let padded = (0..STORED_AT_ONCE).filter_map(|place| part.get(place).or(part.last()));
        let params = padded.flat_map(|(key, event)| [Param::Bytes(key.to_vec()), (*event).into()]).collect();
        db.execute(&sql, params)
    });
    // At the same time, so that they are stored together.
    futures::future::try_join_all(statements).await?;
    let progress = serde_json::to_value(entries.progress).unwrap_or_default();
    values::set_marker(db, MARKER, Some(&progress)).await
}

/// The newest events with a value, up to `limit`.
pub(in crate::journal) async fn events(
    db: &impl Database,
    key: &IdentifierKey,
    limit: usize,
) -> Result<Vec<Event>, Error> {
    let sql = format!(
        "SELECT {} FROM ({BY_KEY}) AS found JOIN events e ON e.seq = found.event ORDER BY e.seq DESC",
        qualified("e", EVENT)
    );
    rows(db, &sql, vec![Param::Bytes(key.to_vec()), Param::count(limit)], Row::event).await
}

/// The runs of events.
pub(in crate::journal) async fn runs_of(
    db: &impl Database,
    events: &[EventId],
) -> Result<Vec<RunRow>, Error> {
    let sql = format!(
        "SELECT {} FROM events e JOIN runs r ON r.event = e.seq WHERE e.id IN ({})",
        qualified("r", RUN_ROW),
        places(1)
    );
    let mut found = Vec::new();
    for part in lookups(events) {
        let params = part.map(|id| Param::from(&id.0)).collect();
        found.extend(rows(db, &sql, params, Row::run_row).await?);
    }
    Ok(found)
}

/// The events of runs, each with its run.
pub(in crate::journal) async fn events_of(
    db: &impl Database,
    runs: &[RunId],
) -> Result<Vec<(RunRow, Event)>, Error> {
    let sql = format!(
        "SELECT {}, {} FROM runs r JOIN events e ON e.seq = r.event WHERE r.id IN ({})",
        qualified("r", RUN_ROW),
        qualified("e", EVENT),
        places(1)
    );
    let mut found = Vec::new();
    for part in lookups(runs) {
        let params = part.map(|id| Param::from(&id.0)).collect();
        found.extend(rows(db, &sql, params, |row| Ok((row.run_row()?, row.event()?))).await?);
    }
    Ok(found)
}

/// What runs wrote.
pub(in crate::journal) async fn writes_of(db: &impl Database, runs: &[RunId]) -> Result<Vec<Written>, Error> {
    let sql = format!(
        "SELECT r.id, r.recipe, w.at, w.record, w.connection, w.operation, w.fields
         FROM runs r JOIN writes w ON w.run = r.seq WHERE r.id IN ({}) ORDER BY w.seq",
        places(1)
    );
    let mut found = Vec::new();
    for part in lookups(runs) {
        let params = part.map(|id| Param::from(&id.0)).collect();
        found.extend(rows(db, &sql, params, writes::written).await?.into_iter().flatten());
    }
    Ok(found)
}
