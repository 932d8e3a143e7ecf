//! How a process uses a store.

/// How a process uses a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Runs recipes and upgrades the format. SQLite allows one such process at a time, PostgreSQL any number.
    Runner,
    /// Reads, adds events and intervenes in runs. Any number may do so, with or without a runner.
    Client,
}
