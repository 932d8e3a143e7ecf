//! The index of values that identify people and records: which events contain them, themselves or in what their runs
//! wrote. It is filled after the fact, so that taking in events costs nothing more; what is not indexed yet is known.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A value in the index: a hash, so that the index tells nobody's address.
pub type IdentifierKey = [u8; 16];

/// How far events and writes have been indexed, by their numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexProgress {
    pub(super) event: i64,
    pub(super) write: i64,
}

/// What is to be indexed next.
#[derive(Debug, Clone, Default)]
pub struct Unindexed {
    /// The number of an event with its payload, or with what a run of it wrote.
    pub(super) contents: Vec<(i64, Value)>,
    /// How far everything is indexed once these are.
    pub(super) progress: IndexProgress,
    /// When the first of these events was received.
    pub since: Option<DateTime<Utc>>,
    /// Whether there is anything that is not indexed.
    pub is_new: bool,
}

impl Unindexed {
    /// The entries of the index, with the keys that `keys` finds in a value.
    pub fn entries(&self, keys: impl Fn(&Value) -> Vec<IdentifierKey>) -> IndexEntries {
        let mut entries: Vec<(IdentifierKey, i64)> = Vec::new();
        for (event, value) in &self.contents {
            entries.extend(keys(value).into_iter().map(|key| (key, *event)));
        }
        entries.sort_unstable();
        entries.dedup();
        IndexEntries { entries, progress: self.progress }
    }
}

/// Entries of the index that are to be stored.
#[derive(Debug, Clone, Default)]
pub struct IndexEntries {
    pub(super) entries: Vec<(IdentifierKey, i64)>,
    pub(super) progress: IndexProgress,
}
