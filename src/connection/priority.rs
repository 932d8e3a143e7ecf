//! How urgently a request wants to be sent, and that it would have to wait too long.

use std::time::Duration;

/// Who goes first when the budget is short.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Runs of events that somebody just sent.
    #[default]
    Webhook,
    /// Pollers, and runs of what they found.
    Poll,
    /// Reading in what was there before.
    Backfill,
}

/// A budget that stays empty for longer than the caller waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted {
    /// How long it stays empty.
    pub wait: Duration,
    /// Another process found that the account keeps failing: it is left alone for so long.
    pub left_alone: bool,
}
