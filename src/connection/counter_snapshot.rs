//! Counters as they are stored.

use serde::{Deserialize, Serialize};

use super::counters::Counters;
use super::monotonic_time::MonotonicTime;

/// How many requests are written ahead.
#[derive(Debug, Default)]
pub(super) struct WrittenAhead {
    pub(super) version: i64,
    /// Requests allowed before the next write.
    pub(super) left: u64,
}

/// Stored counters.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Snapshot {
    pub(super) counters: Counters,
    /// Requests that may have been sent without being counted.
    #[serde(default)]
    pub(super) reserved: u64,
    /// When it was written, by the clock of its times.
    #[serde(default)]
    pub(super) at: MonotonicTime,
    /// The same by the wall clock, in microseconds since 1970.
    #[serde(default)]
    pub(super) wall: i64,
    /// The process that wrote it; distinguishes equal counters of two processes.
    #[serde(default)]
    pub(super) writer: String,
}

impl Snapshot {
    /// A snapshot of shared counters, whose times are the store's.
    pub(super) fn shared(counters: Counters, writer: &str) -> Self {
        Self { counters, writer: writer.to_owned(), ..Self::default() }
    }

    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Parses a snapshot; an empty or invalid text gives an empty one.
    pub(super) fn read(text: &str) -> Self {
        if text.is_empty() {
            return Self::default();
        }
        serde_json::from_str(text).unwrap_or_else(|error| {
            tracing::warn!(%error, "what was counted of an account's requests cannot be read; it is counted anew");
            Self::default()
        })
    }
}
