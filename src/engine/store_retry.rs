//! Retries queries until the store answers: a run never continues on assumptions while the store is unreachable.

use std::time::Duration;

use super::leases::LeaseGuard;
use crate::journal::Error;
use crate::run::RunId;
use crate::value::Backoff;

const BACKOFF: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));

/// The run cannot continue: another worker has leased it, or the store is corrupt.
#[derive(Debug)]
pub(super) struct LeaseLost;

/// The answer of `ask` for `run`, retried while the store is unreachable and the lease valid.
pub(super) async fn with_store_retry<T, A>(
    run: &RunId,
    guard: &LeaseGuard,
    mut ask: impl FnMut() -> A,
) -> Result<T, LeaseLost>
where
    A: Future<Output = Result<T, Error>>,
{
    let mut failures = 0;
    loop {
        match ask().await {
            Ok(answer) => return Ok(answer),
            Err(Error::Unavailable { store, reason }) if !guard.is_lost() => {
                tracing::error!(%run, "the store {store} {reason}; trying again");
                failures += 1;
                tokio::time::sleep(BACKOFF.pause(failures)).await;
            }
            Err(error) => {
                tracing::error!(%run, %error, "work on the run has stopped");
                return Err(LeaseLost);
            }
        }
    }
}
