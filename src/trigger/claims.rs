//! Which of the processes that share a store acts for a poller or a schedule: one at a time, and
//! another one when that one is gone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::journal::Claim;

/// What this process has claimed. Clones share it.
#[derive(Debug, Clone)]
pub struct Claims(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) owner: String,
    pub(super) ttl: Duration,
    held: Mutex<BTreeMap<String, Claim>>,
}

/// Who acts for a cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ClaimState {
    /// We do; there are no others.
    Alone,
    /// We do, for as long as this is ours.
    Ours(Claim),
    /// Another process does.
    Elsewhere,
}

impl ClaimState {
    /// What the store is to check.
    pub(super) fn claim(self) -> Option<Claim> {
        match self {
            ClaimState::Ours(claim) => Some(claim),
            ClaimState::Alone | ClaimState::Elsewhere => None,
        }
    }
}

impl Claims {
    /// Claims of the process called `owner`. One that gives no sign of life for `ttl` loses them.
    pub fn new(owner: impl Into<String>, ttl: Duration) -> Self {
        Self(Arc::new(Inner { owner: owner.into(), ttl, held: Mutex::default() }))
    }

    /// How often a sign of life is given, and looked for.
    pub(super) fn renewal_interval(&self) -> Duration {
        self.0.ttl / 3
    }

    pub(super) fn held(&self) -> MutexGuard<'_, BTreeMap<String, Claim>> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
