//! Counts and sizes.

use chrono::{DateTime, Utc};

use crate::journal::database::{Database, Dialect, rows};
use crate::journal::encoding::{code, stamp};
use crate::journal::row::Unreadable;
use crate::journal::{Error, StoreInfo, Totals};
use crate::run::RunState;

/// The name of the event counter.
pub(in crate::journal) const EVENTS: &str = "events";

/// A query for the counts since `$1`: rows of name and count.
pub(in crate::journal) fn since() -> String {
    let runs = RunState::ALL.map(|state| {
        let (name, code) = (state.name(), code(state));
        format!(
            " UNION ALL SELECT '{name}', (SELECT count(*) FROM runs WHERE state = {code} AND created >= $1)"
        )
    });
    format!("SELECT '{EVENTS}', (SELECT count(*) FROM events WHERE received >= $1){}", runs.concat())
}

/// Counts of everything, or since a time.
pub(in crate::journal) async fn totals<D: Database>(
    db: &D,
    time: Option<DateTime<Utc>>,
) -> Result<Totals, Error> {
    let (sql, params) = match time {
        None => (D::Dialect::counters(), vec![]),
        Some(time) => (since(), vec![stamp(time).into()]),
    };
    let mut totals = Totals::default();
    for (name, count) in rows(db, &sql, params, |row| Ok((row.text()?, row.count()?))).await? {
        if name == EVENTS {
            totals.events = count;
        } else if count > 0 {
            totals.runs.insert(name, count);
        }
    }
    Ok(totals)
}

/// The size of the store in bytes.
pub(in crate::journal) async fn bytes<D: Database>(db: &D) -> Result<u64, Error> {
    let sql = format!("SELECT ({})", D::Dialect::BYTES);
    let found = rows(db, &sql, vec![], |row| row.count()).await?;
    Ok(found.first().copied().unwrap_or(0))
}

/// What is stored, in format `format`.
pub(in crate::journal) async fn info<D: Database>(db: &D, format: i64) -> Result<StoreInfo, Error> {
    let sql = format!(
        "SELECT ({}), (SELECT min(received) FROM events), (SELECT count(*) FROM cursors),
             (SELECT count(*) FROM links)",
        D::Dialect::BYTES
    );
    let totals = totals(db, None).await?;
    let mut found = db.query(&sql, vec![]).await?;
    let counts = found
        .first_mut()
        .map(|row| Ok::<_, Unreadable>((row.count()?, row.time_or_none()?, row.count()?, row.count()?)));
    let (bytes, oldest, cursors, links) =
        counts.transpose().map_err(|unreadable| unreadable.into_error(db.name()))?.unwrap_or_default();
    Ok(StoreInfo {
        kind: D::Dialect::KIND,
        place: db.name().to_owned(),
        format,
        bytes,
        totals,
        oldest,
        cursors,
        links,
    })
}
