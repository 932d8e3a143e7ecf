//! Storing what another store exported. What is there already stays as it is, so that an import that
//! was broken off can be begun again.

use chrono::{DateTime, Utc};
use rusqlite::OptionalExtension;

use crate::event::CursorKey;
use crate::journal::encoding::unsettled_text;
use crate::journal::event_row::{EventRow, priority};
use crate::journal::{Due, Link, Record, encoding};
use crate::run::{Run, RunState, StampedEntry, Write};

use super::append::insert_event;
use super::failure::Failure;
use super::lease::{insert_entries, texts};
use super::link;
use super::poller;
use super::recipe;
use super::row::{code, stamp};
use super::writer::Tx;
use super::writes;

/// Stores one record.
pub(super) fn record(tx: &mut Tx<'_>, record: Record) -> Result<(), Failure> {
    match record {
        Record::Event(event) => {
            let known =
                tx.conn.prepare_cached("SELECT 1 FROM events WHERE id = ?1")?.exists([&event.id.0])?;
            if !known {
                insert_event(tx, &EventRow::new(event)?)?;
            }
            Ok(())
        }
        Record::Run { run, state, about, finished, error, due, entries, writes, unsettled } => {
            let unsettled = unsettled_text(&unsettled)?;
            let finished = finished.map(stamp);
            let imported = ImportedState { state, about, finished, error, due, unsettled };
            self::run(tx, &run, &imported, &entries, &writes)
        }
        Record::Receipt { key, received } => {
            let key = hex::decode(&key)
                .map_err(|error| Failure::Unreadable(format!("`{key}` is not a dedup key: {error}")))?;
            tx.conn
                .prepare_cached(
                    "INSERT INTO receipts (key, received) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                )?
                .execute((key, stamp(received)))?;
            Ok(())
        }
        Record::Cursor(cursor) => {
            tx.conn
                .prepare_cached("INSERT INTO cursors (key, cursor) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
                .execute((&cursor.key.0, serde_json::to_string(&cursor)?))?;
            Ok(())
        }
        Record::Seen { cursor, id, fingerprint, scan } => seen(tx, &cursor, &id, &fingerprint, scan),
        Record::Recipe(text) => recipe::save(tx, &text),
        Record::Link { name, from, to } => {
            let known = link::find(tx.conn, &name, Some(&from), None)?.is_some();
            if known { Ok(()) } else { link::save(tx, &Link { name, from, to }) }
        }
        Record::Value { key, value } => {
            let known = link::state(tx.conn, &key)?.is_some();
            if known { Ok(()) } else { link::put_state(tx, &key, &value.to_string()) }
        }
    }
}

/// Where a run stands.
struct ImportedState {
    state: RunState,
    about: Option<String>,
    finished: Option<i64>,
    error: Option<String>,
    due: Due,
    unsettled: String,
}

fn run(
    tx: &mut Tx<'_>,
    run: &Run,
    imported: &ImportedState,
    entries: &[StampedEntry],
    written: &[(DateTime<Utc>, Write)],
) -> Result<(), Failure> {
    let known = tx.conn.prepare_cached("SELECT 1 FROM runs WHERE id = ?1")?.exists([&run.id.0])?;
    if known {
        return Ok(());
    }
    let event: Option<(i64, String)> = tx
        .conn
        .prepare_cached("SELECT seq, source FROM events WHERE id = ?1")?
        .query_row([&run.event.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (event, source) = event
        .ok_or_else(|| Failure::Unreadable(format!("the event {} of {} is missing", run.event, run.id)))?;
    let priority = priority(&serde_json::from_str(&source)?);
    let due = match imported.due {
        Due::Never => None,
        Due::Now => Some(priority.into()),
        Due::At(at) => Some(encoding::due(at)),
    };
    let seq = tx
        .conn
        .prepare_cached(
            "INSERT INTO runs (id, event, recipe, lane, accounts, record, version, state, created, finished,
                 error, due, priority, unsettled)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, nullif(?14, ''))",
        )?
        .insert((
            &run.id.0,
            event,
            &run.recipe,
            &run.lane,
            serde_json::to_string(&run.accounts)?,
            &imported.about,
            &run.version,
            code(imported.state),
            stamp(run.created),
            imported.finished,
            &imported.error,
            due,
            priority,
            &imported.unsettled,
        ))?;
    insert_entries(tx, seq, 0, &texts(entries)?)?;
    written.iter().try_for_each(|(at, write)| writes::note(tx, seq, *at, write))?;
    tx.counters.run(None, imported.state);
    tx.counters.work = true;
    Ok(())
}

fn seen(tx: &Tx<'_>, cursor: &CursorKey, id: &str, fingerprint: &str, scan: u64) -> Result<(), Failure> {
    let Some(cursor) = poller::seq(tx.conn, cursor)? else {
        return Err(Failure::Unreadable(format!("the cursor {cursor} of a seen record is missing")));
    };
    tx.conn
        .prepare_cached(
            "INSERT INTO seen (cursor, record, fingerprint, scan) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO NOTHING",
        )?
        .execute((cursor, id, fingerprint, poller::number(scan)))?;
    Ok(())
}
