//! What an audit looks at.

use chrono::{DateTime, Utc};

/// What an audit looks at.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Only what was made or changed since then.
    pub since: Option<DateTime<Utc>>,
    /// Runs before this time may be deleted from the history.
    pub kept_since: Option<DateTime<Utc>>,
    /// Make the missing events.
    pub mend: bool,
}
