//! How values are kept in columns: times as nanoseconds, states as numbers, the rest as JSON texts.

use chrono::{DateTime, Utc};
use rusqlite::Row;

use crate::event::{DedupKey, Event, EventId};
use crate::journal::RunRow;
use crate::run::{Run, RunId, RunState};

use super::failure::Failure;

/// Nanoseconds since 1970; what does not fit (before 1677, after 2262) counts as the nearest that does.
pub(super) fn stamp(time: DateTime<Utc>) -> i64 {
    time.timestamp_nanos_opt().unwrap_or(if time.timestamp() < 0 { i64::MIN } else { i64::MAX })
}

/// The time of a stamp.
pub(super) fn time(stamp: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_nanos(stamp)
}

/// A state's number. Stored: never change one.
pub(super) fn code(state: RunState) -> i64 {
    match state {
        RunState::Waiting => 0,
        RunState::Running => 1,
        RunState::Succeeded => 2,
        RunState::Failed => 3,
        RunState::Filtered => 4,
        RunState::Suppressed => 5,
        RunState::Parked => 6,
        RunState::Skipped => 7,
    }
}

/// The state of a number.
pub(super) fn state(number: i64) -> Result<RunState, Failure> {
    RunState::ALL
        .into_iter()
        .find(|state| code(*state) == number)
        .ok_or_else(|| Failure::Unreadable(format!("a run has the unknown state {number}")))
}

/// Columns of [`run_row`], in order.
pub(super) const RUN_ROW: &str = "id, recipe, state, record, created, finished, error";

/// A run for a list, from the first seven columns.
pub(super) fn run_row(row: &Row<'_>) -> Result<RunRow, Failure> {
    Ok(RunRow {
        id: RunId(row.get(0)?),
        recipe: row.get(1)?,
        state: state(row.get(2)?)?,
        record: row.get(3)?,
        created: time(row.get(4)?),
        finished: row.get::<_, Option<i64>>(5)?.map(time),
        error: row.get(6)?,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_and_times_come_back() {
        for original in RunState::ALL {
            assert_eq!(state(code(original)).unwrap(), original);
        }
        assert!(state(99).is_err());
        let now = DateTime::from_timestamp(1_800_000_000, 123_456_789).unwrap();
        assert_eq!(time(stamp(now)), now);
        assert_eq!(stamp(DateTime::<Utc>::MAX_UTC), i64::MAX);
        assert_eq!(stamp(DateTime::<Utc>::MIN_UTC), i64::MIN);
    }
}
