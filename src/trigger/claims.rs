//! Claims on pollers and schedules: of the processes that share a store, one at a time acts for each, and another takes
//! over when that process stops.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::journal::Claim;

/// Claims of this process. Clones share them.
#[derive(Debug, Clone)]
pub struct Claims(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) owner: String,
    pub(super) ttl: Duration,
    held: Mutex<BTreeMap<String, Claim>>,
}

/// Which process acts for a cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ClaimState {
    /// This process; the store has no other.
    Alone,
    /// This process, for as long as it holds this claim.
    Ours(Claim),
    /// Another process.
    Elsewhere,
}

impl ClaimState {
    /// The claim that the store has to check with each write.
    pub(super) fn claim(self) -> Option<Claim> {
        match self {
            ClaimState::Ours(claim) => Some(claim),
            ClaimState::Alone | ClaimState::Elsewhere => None,
        }
    }
}

impl Claims {
    /// Claims of the process called `owner`. A claim expires when it is not renewed for `ttl`.
    pub fn new(owner: impl Into<String>, ttl: Duration) -> Self {
        Self(Arc::new(Inner { owner: owner.into(), ttl, held: Mutex::default() }))
    }

    /// How often claims are renewed and claims of other processes are checked.
    pub(super) fn renewal_interval(&self) -> Duration {
        self.0.ttl / 3
    }

    pub(super) fn held(&self) -> MutexGuard<'_, BTreeMap<String, Claim>> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
