//! How many runs there were.

use chrono::{DateTime, Utc};

use crate::run::RunState;

/// The runs of a minute that are in one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Activity {
    /// The state.
    pub state: RunState,
    /// The beginning of the minute in which they were created.
    pub minute: DateTime<Utc>,
    /// Their number.
    pub runs: u64,
}
