//! What runs and waits at this moment, asked of the store at most once a second however many pages ask.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::journal::{Error, Journal, RunFilter};
use crate::overview::{ListedRun, listed_runs};
use crate::run::RunState;

/// Most running runs that are listed.
const MAX_RUNNING: usize = 20;
/// How long an answer is used.
const FRESH: Duration = Duration::from_secs(1);

/// What runs and waits.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct UnderWay {
    running: Vec<ListedRun>,
    /// The number of runs that wait.
    waiting: u64,
}

/// The last answer.
#[derive(Default)]
pub(super) struct UnderWayCache(Mutex<Option<(Instant, Arc<UnderWay>)>>);

impl UnderWayCache {
    pub(super) async fn ask(&self, journal: &dyn Journal) -> Result<Arc<UnderWay>, Error> {
        let mut last = self.0.lock().await;
        if let Some((_, known)) = last.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            return Ok(Arc::clone(known));
        }
        let filter =
            RunFilter { state: Some(RunState::Running), limit: Some(MAX_RUNNING), ..RunFilter::default() };
        let running = listed_runs(journal, journal.runs(&filter).await?).await?;
        let totals = journal.totals(None).await?.runs;
        let waiting = totals.get(RunState::Waiting.name()).copied().unwrap_or_default();
        let known = Arc::new(UnderWay { running, waiting });
        *last = Some((Instant::now(), Arc::clone(&known)));
        Ok(known)
    }
}
