//! How an engine works.

use std::time::Duration;

use uuid::Uuid;

use crate::run::LoopLimit;

/// How an engine works.
#[derive(Debug, Clone)]
pub struct Options {
    /// Name of this worker among those that share the journal.
    pub owner: String,
    /// Runs in flight.
    pub concurrency: usize,
    /// How long a run stays ours without a sign of life.
    pub lease: Duration,
    /// Longest wait for a retry or a timer before `run_until_idle` calls it idle.
    pub horizon: Duration,
    /// Longest time to let requests end when stopping.
    pub grace: Duration,
    /// Effects are told, not sent, and waits are over at once.
    pub dry_run: bool,
    /// Requests that leave this machine are told, not sent: nothing done in a sandbox is known outside.
    pub isolated: bool,
    /// When runs that lead to each other are a loop.
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
