//! What the server has seen since it started, for metrics.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::exposition::KnownNames;

/// Webhooks since the start, by address and what became of them.
#[derive(Debug, Default)]
pub(super) struct Counts(pub(super) Mutex<BTreeMap<(String, &'static str), u64>>);

impl Counts {
    /// `path` is empty for an address that nobody listens at: there is no end of those.
    pub(super) fn count(&self, path: &str, result: &'static str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((path.to_owned(), result)).or_default() += 1;
    }
}

/// The names that metrics have had so far.
#[derive(Debug, Default)]
pub(super) struct Names(pub(super) Mutex<KnownNames>);
