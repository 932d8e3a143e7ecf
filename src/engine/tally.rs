//! What an engine has done since it began, for summaries and metrics.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::run::RunState;

/// Counts since the engine began.
#[derive(Debug, Default)]
pub struct Tally {
    ended: Mutex<BTreeMap<&'static str, u64>>,
}

impl Tally {
    pub(super) fn count(&self, state: RunState) {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner).entry(state.name()).or_default() += 1;
    }

    /// Runs that ended or were parked, by the name of their state.
    pub fn runs(&self) -> BTreeMap<&'static str, u64> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
