//! Counts of the server for metrics.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::exposition::KnownNames;

/// Webhooks since the start, by address and result.
#[derive(Debug, Default)]
pub(super) struct Counts(pub(super) Mutex<BTreeMap<(String, &'static str), u64>>);

impl Counts {
    /// `path` is empty for unknown addresses, of which there are unboundedly many.
    pub(super) fn count(&self, path: &str, result: &'static str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((path.to_owned(), result)).or_default() += 1;
    }
}

/// The names used in metrics so far.
#[derive(Debug, Default)]
pub(super) struct Names(pub(super) Mutex<KnownNames>);
