//! The answer to a request for a page, or why there is none.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;

/// A page's answer.
#[derive(Debug)]
pub(super) struct PageAnswer {
    /// The body.
    pub body: Value,
    /// The `Link` header.
    pub link: Option<String>,
    /// The server's clock.
    pub date: Option<DateTime<Utc>>,
}

/// Why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ReadFailure {
    /// Budget or rate limit: nothing is wrong.
    Held {
        /// How long.
        wait: Duration,
        /// Why.
        reason: String,
    },
    /// The connection is held, because its credential is refused.
    OnHold {
        /// Until when it makes no sense to ask.
        wait: Duration,
        /// Why.
        reason: String,
    },
    /// Something is wrong.
    Failed {
        /// What.
        reason: String,
        /// When the server asks to be tried again.
        asked: Option<Duration>,
        /// The server does not want this very request.
        refused: bool,
        /// There is nothing at this address.
        not_found: bool,
    },
}
