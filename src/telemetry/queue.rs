//! Which runs are still to be reported, across a restart.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::journal::{Error, Journal, RunFilter};
use crate::run::RunId;

/// The marker of the time up to which all runs that ended were reported.
const MARKER: &str = "traces_reported";
/// How long before that time a run that was not may have been created.
const LOOK_BACK: TimeDelta = TimeDelta::hours(24);
/// Runs that are looked at after a start; the oldest are left out.
const MAX_RUNS: usize = 5_000;

/// The runs that ended since all that had were reported, the oldest first. The first time, there are none.
pub(super) async fn unreported(journal: &dyn Journal, now: DateTime<Utc>) -> Result<Vec<RunId>, Error> {
    let stored: Option<DateTime<Utc>> =
        journal.marker(MARKER).await?.and_then(|stored| serde_json::from_value(stored).ok());
    let Some(since) = stored else {
        reported(journal, now).await?;
        return Ok(Vec::new());
    };
    let filter = RunFilter {
        since: since.checked_sub_signed(LOOK_BACK),
        limit: Some(MAX_RUNS),
        ..RunFilter::default()
    };
    let mut ended = journal.runs(&filter).await?;
    ended.retain(|row| row.finished.is_some_and(|finished| finished >= since));
    ended.reverse();
    Ok(ended.into_iter().map(|row| row.id).collect())
}

/// All runs that ended before `until` were reported.
pub(super) async fn reported(journal: &dyn Journal, until: DateTime<Utc>) -> Result<(), Error> {
    let value = serde_json::to_value(until).unwrap_or(Value::Null);
    journal.set_marker(MARKER, Some(&value)).await
}
