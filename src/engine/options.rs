//! Settings of an engine.

use std::time::Duration;

use uuid::Uuid;

use crate::run::LoopLimit;

/// Settings of an engine.
#[derive(Debug, Clone)]
pub struct Options {
    /// The name of this worker in the journal.
    pub owner: String,
    /// The most runs in progress.
    pub concurrency: usize,
    /// Duration of a lease without renewal.
    pub lease: Duration,
    /// Waits for retries and timers beyond this count as idle in `run_until_idle`.
    pub horizon: Duration,
    /// Time for requests in flight to end on shutdown.
    pub grace: Duration,
    /// Effects are reported instead of sent, and waits end at once.
    pub dry_run: bool,
    /// Requests to other machines are reported instead of sent (in a sandbox).
    pub isolated: bool,
    /// When a chain of runs counts as a loop.
    pub loop_limit: LoopLimit,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            owner: format!("hob-{}", Uuid::now_v7().simple()),
            concurrency: 32,
            lease: Duration::from_secs(60),
            horizon: Duration::from_secs(60),
            grace: Duration::from_secs(8),
            dry_run: false,
            isolated: false,
            loop_limit: LoopLimit::default(),
        }
    }
}
