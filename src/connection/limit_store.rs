//! Where an account's counters are kept beyond a process: for its next start, and for the other processes
//! that work on the same store.

use std::fmt::Debug;

use async_trait::async_trait;

/// Counters as they are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredCounters {
    /// Counts up with each write; 0: there are none yet.
    pub version: i64,
    /// They themselves.
    pub text: String,
    /// The time there, in microseconds since 1970.
    pub now: i64,
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CountersWrite {
    /// It is done.
    Done {
        /// The version that it made.
        version: i64,
        /// The time there, in microseconds since 1970.
        now: i64,
    },
    /// Somebody else has written meanwhile.
    Conflict(StoredCounters),
}

/// The store does not answer; why. It has been told already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreUnavailable;

/// Where counters are kept.
#[async_trait]
pub trait LimitStore: Debug + Send + Sync {
    /// Whether other processes use it at the same time.
    fn is_shared(&self) -> bool;

    /// What is kept of `account`.
    async fn read(&self, account: &str) -> Result<StoredCounters, StoreUnavailable>;

    /// Keeps `text` in the place of version `seen`, unless that is no longer the present one.
    async fn write(&self, account: &str, seen: i64, text: &str) -> Result<CountersWrite, StoreUnavailable>;
}
