//! What a process wants of a store.

/// What a process wants of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To work on its runs, and to bring it to the present format. An SQLite file takes one such process
    /// at a time, PostgreSQL any number.
    Runner,
    /// To look, to add events, to decide about runs; any number, beside runners or without.
    Client,
}
