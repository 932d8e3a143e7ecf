//! Where decisions are computed. Most take microseconds, less than a switch of threads. A recipe with slow templates
//! is moved to the blocking thread pool, so that it does not delay other runs.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A slower decision would delay other runs.
const SLOW: Duration = Duration::from_millis(2);

/// Remembers which recipes are slow.
#[derive(Debug)]
pub(super) struct Offload {
    /// Slower decisions are offloaded.
    limit: Duration,
    slow: Mutex<HashSet<String>>,
}

impl Default for Offload {
    fn default() -> Self {
        Self::new(SLOW)
    }
}

impl Offload {
    fn new(limit: Duration) -> Self {
        Self { limit, slow: Mutex::default() }
    }

    /// Runs `work` for `recipe`; `None` if it panicked.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        recipe: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        if self.is_slow(recipe) {
            let done = tokio::task::spawn_blocking(work).await;
            return done.inspect_err(|error| tracing::error!(%error, "deciding failed")).ok();
        }
        let begun = Instant::now();
        // After a panic the captured state is dropped, so that it is never used half-changed.
        let done = catch_unwind(AssertUnwindSafe(work)).ok();
        if begun.elapsed() > self.limit {
            tracing::debug!(recipe, took = ?begun.elapsed(), "its decisions get a thread of their own");
            self.slow.lock().unwrap_or_else(PoisonError::into_inner).insert(recipe.to_owned());
        }
        if done.is_none() {
            tracing::error!(recipe, "deciding failed");
        }
        done
    }

    fn is_slow(&self, recipe: &str) -> bool {
        self.slow.lock().unwrap_or_else(PoisonError::into_inner).contains(recipe)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn slow_decisions_are_offloaded() {
        let (offload, here) = (Offload::new(Duration::ZERO), std::thread::current().id());
        let long = || {
            let begun = Instant::now();
            // The clock has a limited resolution.
            while begun.elapsed().is_zero() {}
            std::thread::current().id()
        };
        assert_eq!(offload.run("slow", long).await, Some(here));
        assert_ne!(offload.run("slow", long).await, Some(here));
        assert_eq!(offload.run("another", long).await, Some(here));
    }

    #[tokio::test]
    async fn fast_decisions_stay() {
        let (offload, here) = (Offload::new(Duration::MAX), std::thread::current().id());
        for _ in 0..2 {
            assert_eq!(offload.run("quick", || std::thread::current().id()).await, Some(here));
        }
    }

    #[tokio::test]
    async fn a_panic_is_nothing() {
        let offload = Offload::default();
        let panics = || -> u8 { panic!("on purpose") };
        assert_eq!(offload.run("r", panics).await, None);
        assert_eq!(offload.run("r", || 1).await, Some(1));
    }
}
