//! Takes claims, renews them while their work lasts, and releases them.

use std::future::Future;
use std::time::Duration;

use super::claims::{ClaimState, Claims};
use crate::event::CursorKey;
use crate::journal::Error;
use crate::services::Services;

/// Longest time that releasing claims may take.
const MAX_RELEASE: Duration = Duration::from_secs(1);

impl Claims {
    /// Takes or renews the claim on a cursor.
    pub(super) async fn take(&self, services: &Services, key: &CursorKey) -> Result<ClaimState, Error> {
        if !services.journal.is_shared() {
            return Ok(ClaimState::Alone);
        }
        let (name, inner) = (format!("cursor:{key}"), &self.0);
        let now = services.clock.steady().now();
        let claim = services.journal.claim(&name, &inner.owner, now, inner.ttl).await?;
        Ok(match claim {
            Some(claim) => {
                self.held().insert(name, claim.clone());
                ClaimState::Ours(claim)
            }
            None => {
                self.held().remove(&name);
                ClaimState::Elsewhere
            }
        })
    }

    /// Runs `work` while the claim is renewed. `None` once the claim has passed to another process or cannot be
    /// renewed; `work` is then cancelled.
    pub(super) async fn while_held<T>(
        &self,
        services: &Services,
        key: &CursorKey,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        let lost = async {
            let mut failures = 0;
            // After two failures in a row, a third attempt would come too late.
            while failures < 2 {
                tokio::time::sleep(self.renewal_interval()).await;
                match self.take(services, key).await {
                    Ok(ClaimState::Alone | ClaimState::Ours(_)) => failures = 0,
                    Ok(ClaimState::Elsewhere) => return,
                    Err(_) => failures += 1,
                }
            }
        };
        tokio::select! {
            done = work => Some(done),
            () = lost => None,
        }
    }

    /// Releases all claims, so that other processes need not wait for them to expire. Claims that the store does not
    /// release in time expire by themselves.
    pub(super) async fn release_all(&self, services: &Services) {
        let held = std::mem::take(&mut *self.held());
        let released = held.values().map(|claim| async {
            if let Err(error) = services.journal.release(claim).await {
                tracing::debug!(claim = claim.name, %error, "a claim is left to end by itself");
            }
        });
        let _ = tokio::time::timeout(MAX_RELEASE, futures::future::join_all(released)).await;
    }
}
