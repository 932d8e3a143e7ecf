//! Runs that cannot be decoded.

use chrono::{DateTime, Utc};

use super::{Error, Journal, Lease, RunUpdate};
use crate::run::RunState;

/// Parks runs that cannot be decoded, so that they are visible and do not block others.
pub(super) async fn park_unreadable(
    journal: &impl Journal,
    unreadable: Vec<(Lease, String)>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    for (lease, reason) in unreadable {
        tracing::error!(run = %lease.run, reason, "a run cannot be read and is parked");
        let error = format!("its stored data cannot be read: {reason}");
        let update = RunUpdate { error: Some(error), ..RunUpdate::new(RunState::Parked, now) };
        journal.record(&lease, Vec::new(), update).await?;
    }
    Ok(())
}
