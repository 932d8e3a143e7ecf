//! Rows of the tables, read.

use rusqlite::Row;

use crate::event::{DedupKey, Event, EventId};
use crate::journal::{RunRow, encoding};
use crate::run::{Run, RunId, RunState};

use super::failure::Failure;

pub(super) use crate::journal::encoding::{code, stamp, time};

/// The state of a number.
pub(super) fn state(number: i64) -> Result<RunState, Failure> {
    encoding::state(number).map_err(Failure::Unreadable)
}

/// Columns of [`run_row`], in order.
pub(super) const RUN_ROW: &str = "id, recipe, state, record, created, finished, error, entries";

/// A run for a list, from the first eight columns.
pub(super) fn run_row(row: &Row<'_>) -> Result<RunRow, Failure> {
    Ok(RunRow {
        id: RunId(row.get(0)?),
        recipe: row.get(1)?,
        state: state(row.get(2)?)?,
        record: row.get(3)?,
        created: time(row.get(4)?),
        finished: row.get::<_, Option<i64>>(5)?.map(time),
        error: row.get(6)?,
        entries: usize::try_from(row.get::<_, i64>(7)?).unwrap_or(0),
    })
}

/// A run, with the event's id in hand. Needs the named columns `id, recipe, version, accounts, lane,
/// created`.
pub(super) fn run(row: &Row<'_>, event: EventId) -> Result<Run, Failure> {
    Ok(Run {
        id: RunId(row.get("id")?),
        event,
        recipe: row.get("recipe")?,
        version: row.get("version")?,
        accounts: serde_json::from_str(&row.get::<_, String>("accounts")?)?,
        lane: row.get("lane")?,
        created: time(row.get("created")?),
    })
}

/// Columns of [`event`], in order.
pub(super) const EVENT: &str = "id, source, kind, connection, record, dedup, received, payload";

/// An event.
pub(super) fn event(row: &Row<'_>) -> Result<Event, Failure> {
    Ok(Event {
        id: EventId(row.get(0)?),
        source: serde_json::from_str(&row.get::<_, String>(1)?)?,
        kind: row.get(2)?,
        connection: row.get(3)?,
        record: row.get(4)?,
        dedup: DedupKey(row.get(5)?),
        received: time(row.get(6)?),
        payload: serde_json::from_str(&row.get::<_, String>(7)?)?,
    })
}
