//! Retries after transient failures, with backoff and a time limit.

use std::time::Duration;

use tokio::time::Instant;

use super::failure::Failure;
use crate::value::Backoff;

/// Time limit of all attempts together.
const TIME_LIMIT: Duration = Duration::from_secs(10);
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(20), Duration::from_millis(500));

/// The state of repeated attempts.
pub(super) struct RetryBackoff {
    since: Instant,
    failures: u32,
}

impl RetryBackoff {
    /// Before the first attempt.
    pub(super) fn new() -> Self {
        Self { since: Instant::now(), failures: 0 }
    }

    /// Waits before the next attempt; returns `failure` if a retry is pointless or the limit is over.
    pub(super) async fn pause_before_retry(&mut self, failure: Failure) -> Result<(), Failure> {
        self.failures += 1;
        // A single attempt that exceeds the limit is retried once.
        if !failure.is_transient() || (self.since.elapsed() > TIME_LIMIT && self.failures > 1) {
            return Err(failure);
        }
        // The first retry is immediate: usually only this connection was lost.
        if self.failures > 1 {
            let pause = BACKOFF.pause(self.failures - 1);
            tokio::time::sleep(pause.mul_f64(jitter(self.since))).await;
        }
        Ok(())
    }
}

/// Between 0.5 and 1, so that clients that fail together do not retry together.
fn jitter(since: Instant) -> f64 {
    0.5 + f64::from(since.elapsed().subsec_nanos() % 1000) / 2000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn transient_failures_are_retried_for_a_while_and_others_never() {
        let mut backoff = RetryBackoff::new();
        assert!(backoff.pause_before_retry(Failure::Unreadable("x".to_owned())).await.is_err());
        let mut backoff = RetryBackoff::new();
        for _ in 0..3 {
            assert!(backoff.pause_before_retry(Failure::ConnectTimeout).await.is_ok());
        }
        backoff.since -= TIME_LIMIT * 2;
        assert!(backoff.pause_before_retry(Failure::ConnectTimeout).await.is_err());
        let late = RetryBackoff { since: Instant::now() - TIME_LIMIT * 2, ..RetryBackoff::new() };
        assert!(
            { late }.pause_before_retry(Failure::ConnectTimeout).await.is_ok(),
            "what took long is tried a second time"
        );
    }
}
