//! Where an account's counters are stored: for the next start, and for other processes on the same store.

use std::fmt::Debug;

use async_trait::async_trait;

/// Stored counters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredCounters {
    /// Incremented by each write; 0 if nothing is stored.
    pub version: i64,
    /// The counters as text.
    pub text: String,
    /// The store's time, in microseconds since 1970.
    pub now: i64,
}

/// The result of a conditional write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CountersWrite {
    /// Written.
    Done {
        /// The new version.
        version: i64,
        /// The store's time, in microseconds since 1970.
        now: i64,
    },
    /// Another version was stored meanwhile.
    Conflict(StoredCounters),
}

/// The store is unreachable. The reason was logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreUnavailable;

/// A store of counters.
#[async_trait]
pub trait LimitStore: Debug + Send + Sync {
    /// Whether other processes use it at the same time.
    fn is_shared(&self) -> bool;

    /// The stored counters of `account`.
    async fn read(&self, account: &str) -> Result<StoredCounters, StoreUnavailable>;

    /// Replaces version `seen` with `text`, unless another version is stored.
    async fn write(&self, account: &str, seen: i64, text: &str) -> Result<CountersWrite, StoreUnavailable>;
}
