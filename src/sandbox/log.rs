//! The served requests with their changes, so that tests can prove "exactly once".

use std::collections::VecDeque;

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value;

use super::execute::Change;

/// A request that was served.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// Its number, from 1.
    pub number: u64,
    /// When it was received.
    pub at: String,
    /// The connector.
    pub connector: String,
    /// The operation, if the path is one's.
    pub operation: Option<String>,
    /// HTTP method.
    pub method: String,
    /// Path below the connector, with the query.
    pub path: String,
    /// JSON body; null when there was none.
    pub body: Value,
    /// Status of the answer; 0 when none was sent.
    pub status: u16,
    /// Its changes. A request that is repeated after it was executed appears twice.
    pub changes: Vec<Change>,
    /// The fault that was injected.
    pub fault: Option<super::fault::FaultKind>,
}

/// The latest entries, and totals of all.
#[derive(Debug)]
pub(super) struct Log {
    entries: VecDeque<Entry>,
    most: usize,
    served: u64,
    totals: IndexMap<String, u64>,
}

impl Log {
    /// An empty log that keeps the latest `most` entries.
    pub(super) fn new(most: usize) -> Self {
        Self { entries: VecDeque::new(), most, served: 0, totals: IndexMap::new() }
    }

    /// Adds an entry and numbers it.
    pub(super) fn add(&mut self, mut entry: Entry) {
        self.served += 1;
        entry.number = self.served;
        let name = entry.operation.clone().unwrap_or_else(|| format!("{} (unknown)", entry.connector));
        *self.totals.entry(name).or_default() += 1;
        if self.entries.len() >= self.most {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    /// The latest entries, oldest first.
    pub(super) fn entries(&self) -> Vec<Entry> {
        self.entries.iter().cloned().collect()
    }

    /// Requests served by operation.
    pub(super) fn totals(&self) -> &IndexMap<String, u64> {
        &self.totals
    }

    /// Requests served.
    pub(super) fn served(&self) -> u64 {
        self.served
    }
}
