//! The jobs of this process.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indexmap::IndexMap;
use tokio::time::Instant;

use super::act::Act;
use super::job::Job;

/// Jobs that are remembered.
const MOST: usize = 64;
/// Jobs at the same time.
const MOST_AT_ONCE: usize = 4;
/// How long a page waits for a job to end before it shows how far the job is.
const MAX_WAIT: Duration = Duration::from_millis(50);
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

    /// The preview of `act` on a cause that goes on: whoever asks for the same watches it, too.
    pub(super) fn preview(&self, act: Act, cause: &str) -> Option<Arc<Job>> {
        let jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |job: &&Arc<Job>| job.dry && job.act == act && job.cause == cause && !job.has_ended();
        jobs.values().find(is_it).cloned()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_is_looked_for_once_however_often_it_is_asked_for() {
        let jobs = Jobs::default();
        let (preview, act) =
            (Job::new(Act::Retry, "5c1f0a9e3b", true), Job::new(Act::Retry, "5c1f0a9e3b", false));
        jobs.add(&act).unwrap();
        assert!(jobs.preview(Act::Retry, "5c1f0a9e3b").is_none(), "an act is not a preview");
        jobs.add(&preview).unwrap();
        assert_eq!(
            jobs.preview(Act::Retry, "5c1f0a9e3b").map(|job| job.id.clone()),
            Some(preview.id.clone())
        );
        assert!(jobs.preview(Act::Skip, "5c1f0a9e3b").is_none() && jobs.preview(Act::Retry, "00").is_none());
        for _ in 2..MOST_AT_ONCE {
            jobs.add(&Job::new(Act::Skip, "00", true)).unwrap();
        }
        assert!(jobs.add(&Job::new(Act::Skip, "00", true)).is_err());
    }
}
