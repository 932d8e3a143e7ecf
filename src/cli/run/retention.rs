//! Deletes old runs and events in the background.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::clock::Clock;
use crate::journal::{Error, Journal, Pruned, Retention};
use crate::workspace::History;

/// Items per batch, few enough not to delay other writes.
const BATCH: usize = 500;
/// Batches at the end of `--once`; the rest is left to the next run.
const BATCHES_ONCE: usize = 20;
/// Pause between two batches.
const BREATH: Duration = Duration::from_millis(50);
/// Interval of pruning.
const EVERY: Duration = Duration::from_secs(3600);
/// Delay after the start.
const FIRST: Duration = Duration::from_secs(60);

/// The retention criteria at `now`.
fn retention(history: &History, now: DateTime<Utc>) -> Retention {
    let ago = |age: Duration| TimeDelta::from_std(age).ok().and_then(|age| now.checked_sub_signed(age));
    Retention {
        before: history.keep.and_then(ago),
        most_runs: history.runs,
        dedup_before: history.dedup.and_then(ago),
    }
}

/// Prunes regularly. Never returns.
pub(super) async fn prune_regularly(journal: &dyn Journal, history: &History, clock: &Clock) {
    tokio::time::sleep(FIRST).await;
    loop {
        if let Err(error) = forget(journal, history, clock, usize::MAX).await {
            tracing::warn!(%error, "old history could not be deleted; it will be tried again");
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Prunes a limited amount, so that a store used only by `--once` does not grow forever.
pub(super) async fn prune_some(journal: &dyn Journal, history: &History, clock: &Clock) {
    if let Err(error) = forget(journal, history, clock, BATCHES_ONCE).await {
        tracing::warn!(%error, "old history could not be deleted; it will be tried again");
    }
}

async fn forget(
    journal: &dyn Journal,
    history: &History,
    clock: &Clock,
    batches: usize,
) -> Result<(), Error> {
    let retention = retention(history, clock.now());
    if let Some(before) = retention.before {
        journal.forget_acts(before).await?;
    }
    let mut all = Pruned::default();
    for _ in 0..batches {
        let pruned = journal.prune(&retention, BATCH).await?;
        if pruned == Pruned::default() {
            break;
        }
        all.runs += pruned.runs;
        all.events += pruned.events;
        all.dedup_keys += pruned.dedup_keys;
        tokio::time::sleep(BREATH).await;
    }
    if all != Pruned::default() {
        let Pruned { runs, events, dedup_keys } = all;
        tracing::info!(runs, events, dedup_keys, "deleted old history");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_become_times() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let day = Duration::from_secs(24 * 3600);
        let history = History { keep: Some(day), runs: Some(7), dedup: None };
        let expected =
            Retention { before: Some(now - TimeDelta::days(1)), most_runs: Some(7), dedup_before: None };
        assert_eq!(retention(&history, now), expected);
        // A cutoff before the earliest time deletes nothing.
        let history = History { keep: Some(Duration::MAX), ..history };
        assert_eq!(retention(&history, now).before, None);
    }
}
