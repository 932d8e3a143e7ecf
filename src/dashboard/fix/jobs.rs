//! The jobs of this process.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indexmap::IndexMap;
use tokio::time::Instant;

use super::job::Job;

/// Jobs that are remembered.
const MOST: usize = 64;
/// Jobs at the same time.
const MOST_AT_ONCE: usize = 4;
/// How long a page waits for a job to end before it shows how far the job is.
const MAX_WAIT: Duration = Duration::from_millis(100);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(15);

/// Jobs by id, the oldest first.
#[derive(Default)]
pub(in crate::dashboard) struct Jobs(Mutex<IndexMap<String, Arc<Job>>>);

impl Jobs {
    /// Remembers a job; fails if too many go on already.
    pub(super) fn add(&self, job: &Arc<Job>) -> Result<(), &'static str> {
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if jobs.values().filter(|job| !job.has_ended()).count() >= MOST_AT_ONCE {
            return Err("too much is done at once; wait until something has ended, or stop it");
        }
        while jobs.len() >= MOST {
            let Some(ended) = jobs.values().position(|job| job.has_ended()) else { break };
            jobs.shift_remove_index(ended);
        }
        jobs.insert(job.id.clone(), Arc::clone(job));
        Ok(())
    }

    pub(in crate::dashboard) fn find(&self, id: &str) -> Option<Arc<Job>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }
}

/// Waits a moment for `job` to end: most do at once.
pub(super) async fn wait_a_moment(job: &Job) {
    let begun = Instant::now();
    while !job.has_ended() && begun.elapsed() < MAX_WAIT {
        tokio::time::sleep(LOOK).await;
    }
}
