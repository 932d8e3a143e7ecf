//! Retries after transient failures, with backoff and a time limit.

use std::time::Duration;

use tokio::time::Instant;

use super::failure::Failure;
use crate::value::Backoff;

/// How long to go on trying.
const LIMIT: Duration = Duration::from_secs(10);
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(20), Duration::from_millis(500));

/// Attempts at one thing.
pub(super) struct RetryBackoff {
    since: Instant,
    failures: u32,
}

impl RetryBackoff {
    /// Before the first attempt.
    pub(super) fn new() -> Self {
        Self { since: Instant::now(), failures: 0 }
    }

    /// Returns when it is time to try again; with `failure` if that makes no sense, or not any more.
    pub(super) async fn pause_before_retry(&mut self, failure: Failure) -> Result<(), Failure> {
        self.failures += 1;
        // What took that long by itself is tried a second time all the same.
        if !failure.passes() || (self.since.elapsed() > LIMIT && self.failures > 1) {
            return Err(failure);
        }
        // The first time at once: most often only this one connection was lost.
        if self.failures > 1 {
            let pause = BACKOFF.pause(self.failures - 1);
            tokio::time::sleep(pause.mul_f64(jitter(self.since))).await;
        }
        Ok(())
    }
}

/// Between a half and one, so that those who failed together do not come again together.
fn jitter(since: Instant) -> f64 {
    0.5 + f64::from(since.elapsed().subsec_nanos() % 1000) / 2000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_passes_is_borne_for_a_while_and_the_rest_not_at_all() {
        let mut backoff = RetryBackoff::new();
        assert!(backoff.pause_before_retry(Failure::Unreadable("x".to_owned())).await.is_err());
        let mut backoff = RetryBackoff::new();
        for _ in 0..3 {
            assert!(backoff.pause_before_retry(Failure::Silent).await.is_ok());
        }
        backoff.since -= LIMIT * 2;
        assert!(backoff.pause_before_retry(Failure::Silent).await.is_err());
        let late = RetryBackoff { since: Instant::now() - LIMIT * 2, ..RetryBackoff::new() };
        assert!(
            { late }.pause_before_retry(Failure::Silent).await.is_ok(),
            "what took long is tried a second time"
        );
    }
}
