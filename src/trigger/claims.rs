//! Which of the processes that share a store acts for a poller or a schedule: one at a time, and
//! another one when that one is gone.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::surroundings::Surroundings;
use crate::clock::Clock;
use crate::event::CursorKey;
use crate::journal::{Claim, Error};

/// Longest wait for the store to take claims back.
const LONGEST_RELEASE: Duration = Duration::from_secs(1);

/// What this process has claimed. Clones share it.
#[derive(Debug, Clone)]
pub struct Claims(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    owner: String,
    ttl: Duration,
    /// By which they end, if not by that of the triggers.
    clock: Option<Clock>,
    held: Mutex<BTreeMap<String, Claim>>,
}

/// Who acts for a cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tenure {
    /// We do; there are no others.
    Alone,
    /// We do, for as long as this is ours.
    Ours(Claim),
    /// Another process does.
    Elsewhere,
}

impl Tenure {
    /// What the store is to check.
    pub(super) fn claim(self) -> Option<Claim> {
        match self {
            Tenure::Ours(claim) => Some(claim),
            Tenure::Alone | Tenure::Elsewhere => None,
        }
    }
}

impl Claims {
    /// Claims of the process called `owner`. One that gives no sign of life for `ttl` loses them.
    pub fn new(owner: impl Into<String>, ttl: Duration) -> Self {
        Self(Arc::new(Inner { owner: owner.into(), ttl, clock: None, held: Mutex::default() }))
    }

    /// The same, ending by a clock of their own: one that does not jump.
    pub fn by(self, clock: Clock) -> Self {
        let (owner, ttl) = (self.0.owner.clone(), self.0.ttl);
        Self(Arc::new(Inner { owner, ttl, clock: Some(clock), held: Mutex::default() }))
    }

    /// How often a sign of life is given, and looked for.
    pub(super) fn pulse(&self) -> Duration {
        self.0.ttl / 3
    }

    /// Takes or extends the claim on a cursor.
    pub(super) async fn take(&self, around: &Surroundings, key: &CursorKey) -> Result<Tenure, Error> {
        if !around.journal.is_shared() {
            return Ok(Tenure::Alone);
        }
        let (name, inner) = (format!("cursor:{key}"), &self.0);
        let now = inner.clock.as_ref().unwrap_or(&around.clock).now();
        let claim = around.journal.claim(&name, &inner.owner, now, inner.ttl).await?;
        Ok(match claim {
            Some(claim) => {
                self.held().insert(name, claim.clone());
                Tenure::Ours(claim)
            }
            None => {
                self.held().remove(&name);
                Tenure::Elsewhere
            }
        })
    }

    /// Does `work` for as long as the claim can be kept alive; `None` once it has passed to another
    /// process, or cannot be kept alive. What `work` was about to do is then left undone.
    pub(super) async fn keep<T>(
        &self,
        around: &Surroundings,
        key: &CursorKey,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        let lost = async {
            let mut failures = 0;
            // After two failures in a row, a third attempt would come too late.
            while failures < 2 {
                tokio::time::sleep(self.pulse()).await;
                match self.take(around, key).await {
                    Ok(Tenure::Alone | Tenure::Ours(_)) => failures = 0,
                    Ok(Tenure::Elsewhere) => return,
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
    pub(super) async fn release_all(&self, around: &Surroundings) {
        let held = std::mem::take(&mut *self.held());
        let released = held.values().map(|claim| async {
            if let Err(error) = around.journal.release(claim).await {
                tracing::debug!(claim = claim.name, %error, "a claim is left to end by itself");
            }
        });
        let _ = tokio::time::timeout(LONGEST_RELEASE, futures::future::join_all(released)).await;
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<String, Claim>> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
