//! The answer to the request for a page, or why there is none.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;

/// The answer to the request for a page.
#[derive(Debug)]
pub(super) struct PageAnswer {
    /// Body of the answer.
    pub body: Value,
    /// Value of the `Link` header.
    pub link: Option<String>,
    /// Time in the `Date` header.
    pub date: Option<DateTime<Utc>>,
}

/// Why a page could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ReadFailure {
    /// The budget is used up or a rate limit was reached; this is not an error.
    Held {
        /// Time to wait.
        wait: Duration,
        /// Reason, for people.
        reason: String,
    },
    /// The connection is on hold because its credential was refused.
    OnHold {
        /// Time until the next attempt makes sense.
        wait: Duration,
        /// Reason, for people.
        reason: String,
    },
    /// The request failed.
    Failed {
        /// Reason, for people.
        reason: String,
        /// Wait that the server asked for.
        asked: Option<Duration>,
        /// The server refused this particular request.
        refused: bool,
        /// The server found nothing at this address.
        not_found: bool,
        /// What was asked for is there no more.
        gone: bool,
    },
}

impl ReadFailure {
    /// Why, for people.
    pub(super) fn reason(&self) -> &str {
        match self {
            Self::Held { reason, .. } | Self::OnHold { reason, .. } | Self::Failed { reason, .. } => reason,
        }
    }

    /// A failure for this reason that is no refusal.
    pub(super) fn unread(reason: String) -> Self {
        Self::Failed { reason, asked: None, refused: false, not_found: false, gone: false }
    }

    /// The same, saying `what` was to be found out.
    pub(super) fn while_reading(self, what: &str) -> Self {
        match self {
            Self::Failed { reason, asked, refused, not_found, gone } => {
                let reason = format!("it cannot be read {what}: {reason}");
                Self::Failed { reason, asked, refused, not_found, gone }
            }
            waiting @ (Self::Held { .. } | Self::OnHold { .. }) => waiting,
        }
    }
}
