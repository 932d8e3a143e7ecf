//! Counters in the form in which a store keeps them.

use serde::{Deserialize, Serialize};

use super::counters::Counters;
use super::monotonic_time::MonotonicTime;

/// How far what is written reaches.
#[derive(Debug, Default)]
pub(super) struct WrittenAhead {
    pub(super) version: i64,
    /// Requests that may go before it has to be written again.
    pub(super) left: u64,
}

/// Counters as they are kept.
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
    /// The process that wrote it, where several do: two may write equal counters.
    #[serde(default)]
    pub(super) writer: String,
}

impl Snapshot {
    /// Of counters that processes share, whose times are those of the store.
    pub(super) fn shared(counters: Counters, writer: &str) -> Self {
        Self { counters, writer: writer.to_owned(), ..Self::default() }
    }

    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Of a text; an empty one, or one that cannot be read, tells nothing.
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
