//! A connection's requests by outcome, for metrics.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Requests since the connection was created, by outcome.
#[derive(Debug, Default)]
pub struct RequestCounts(Mutex<BTreeMap<&'static str, u64>>);

impl RequestCounts {
    /// Counts a request.
    pub fn count(&self, outcome: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(outcome).or_default() += 1;
    }

    /// The counts so far.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
