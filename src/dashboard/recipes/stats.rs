//! How the newest runs of a recipe ended.

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::journal::{Error, Journal, RunFilter, RunRow};
use crate::run::RunState;

/// Runs that are looked at.
const NEWEST: usize = 200;
/// How long an answer is used.
const FRESH: Duration = Duration::from_secs(10);

/// What is told of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(in crate::dashboard) struct Stats {
    /// The number of runs looked at.
    runs: usize,
    /// Of those that succeeded or failed, how many in a hundred succeeded.
    success: Option<usize>,
    /// Milliseconds from creation to end, for half of those that succeeded.
    p50: Option<i64>,
    /// The same for 95 of 100.
    p95: Option<i64>,
}

/// The last answers by recipe.
#[derive(Default)]
pub(in crate::dashboard) struct StatsCache(Mutex<HashMap<String, (Instant, Stats)>>);

impl Stats {
    fn of(rows: &[RunRow]) -> Self {
        let ended = |state| rows.iter().filter(move |row| row.state == state);
        let (good, bad) = (ended(RunState::Succeeded).count(), ended(RunState::Failed).count());
        let took = |row: &RunRow| Some((row.finished? - row.created).num_milliseconds());
        let mut times: Vec<i64> = ended(RunState::Succeeded).filter_map(took).collect();
        times.sort_unstable();
        let at = |percent: usize| times.get((times.len() * percent).div_ceil(100).saturating_sub(1)).copied();
        Self {
            runs: rows.len(),
            success: (good + bad > 0).then(|| good * 100 / (good + bad).max(1)),
            p50: at(50),
            p95: at(95),
        }
    }
}

impl StatsCache {
    /// How the newest runs of a recipe ended.
    pub(in crate::dashboard) async fn ask(
        &self,
        journal: &dyn Journal,
        recipe: &str,
    ) -> Result<Stats, Error> {
        let mut known = self.0.lock().await;
        if let Some((_, stats)) = known.get(recipe).filter(|(at, _)| at.elapsed() < FRESH) {
            return Ok(stats.clone());
        }
        let filter =
            RunFilter { recipe: Some(recipe.to_owned()), limit: Some(NEWEST), ..RunFilter::default() };
        let stats = Stats::of(&journal.runs(&filter).await?);
        known.insert(recipe.to_owned(), (Instant::now(), stats.clone()));
        Ok(stats)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::RunId;
    use chrono::{DateTime, TimeDelta};

    #[test]
    fn only_what_was_done_is_measured() {
        let row = |state, seconds| RunRow {
            id: RunId("run_1".to_owned()),
            recipe: "leads".to_owned(),
            state,
            record: None,
            created: DateTime::UNIX_EPOCH,
            finished: Some(DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)),
            error: None,
            entries: 0,
        };
        let mut rows: Vec<RunRow> = (1..=19).map(|n| row(RunState::Succeeded, n)).collect();
        rows.push(row(RunState::Failed, 1_000));
        rows.push(row(RunState::Filtered, 1_000));
        let stats = Stats::of(&rows);
        assert_eq!(stats, Stats { runs: 21, success: Some(95), p50: Some(10_000), p95: Some(19_000) });
        assert_eq!(Stats::of(&[]), Stats::default());
    }
}
