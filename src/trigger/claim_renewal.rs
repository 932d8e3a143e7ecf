//! Takes claims, extends them while their work lasts, and gives them back.

use std::future::Future;
use std::time::Duration;

use super::claims::{ClaimState, Claims};
use super::context::TriggerContext;
use crate::event::CursorKey;
use crate::journal::Error;

/// Longest wait for the store to take claims back.
const MAX_RELEASE: Duration = Duration::from_secs(1);

impl Claims {
    /// Takes or extends the claim on a cursor.
    pub(super) async fn take(&self, context: &TriggerContext, key: &CursorKey) -> Result<ClaimState, Error> {
        if !context.journal.is_shared() {
            return Ok(ClaimState::Alone);
        }
        let (name, inner) = (format!("cursor:{key}"), &self.0);
        let now = inner.clock.as_ref().unwrap_or(&context.clock).now();
        let claim = context.journal.claim(&name, &inner.owner, now, inner.ttl).await?;
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

    /// Does `work` for as long as the claim can be kept alive; `None` once it has passed to another
    /// process, or cannot be kept alive. What `work` was about to do is then left undone.
    pub(super) async fn keep<T>(
        &self,
        context: &TriggerContext,
        key: &CursorKey,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        let lost = async {
            let mut failures = 0;
            // After two failures in a row, a third attempt would come too late.
            while failures < 2 {
                tokio::time::sleep(self.renewal_interval()).await;
                match self.take(context, key).await {
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

    /// Gives up everything, so that others need not wait. What a store that is away does not take in
    /// time ends by itself.
    pub(super) async fn release_all(&self, context: &TriggerContext) {
        let held = std::mem::take(&mut *self.held());
        let released = held.values().map(|claim| async {
            if let Err(error) = context.journal.release(claim).await {
                tracing::debug!(claim = claim.name, %error, "a claim is left to end by itself");
            }
        });
        let _ = tokio::time::timeout(MAX_RELEASE, futures::future::join_all(released)).await;
    }
}
