//! The state of a workspace's pollers, from their cursors.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::event::Cursor;

/// A poller.
#[derive(Debug, Clone, Serialize)]
pub(super) struct PollRow {
    /// The recipe.
    pub(super) recipe: String,
    /// The connection that it reads.
    pub(super) connection: String,
    /// When a poll last completed.
    pub(super) succeeded: Option<DateTime<Utc>>,
    /// When it polls next.
    pub(super) due: DateTime<Utc>,
    /// Consecutive failures.
    pub(super) failures: u32,
    /// Since when.
    pub(super) failing_since: Option<DateTime<Utc>>,
    /// The last failure.
    pub(super) error: Option<String>,
    /// Why it waits, if not because of an error.
    pub(super) waits: Option<String>,
}

impl PollRow {
    /// The poller of `cursor`; `None` if it belongs to a schedule or a backfill.
    pub(super) fn from_cursor(cursor: &Cursor) -> Option<Self> {
        let health = &cursor.health;
        if cursor.key.is_backfill() {
            return None;
        }
        Some(Self {
            recipe: cursor.key.recipe().to_owned(),
            connection: health.connection.clone()?,
            succeeded: health.succeeded,
            due: cursor.due,
            failures: cursor.failures,
            failing_since: health.failing_since,
            error: cursor.error.clone(),
            waits: health.waits.clone(),
        })
    }

    /// Whether its polls fail.
    pub(super) fn fails(&self) -> bool {
        self.failures > 0
    }

    /// A failing poller in one line.
    pub(super) fn complaint(&self) -> String {
        let since = self.failing_since.map(|at| format!(" since {}", time(at))).unwrap_or_default();
        let times = if self.failures == 1 { "once".to_owned() } else { format!("{} times", self.failures) };
        let error = self.error.as_deref().unwrap_or("unknown").replace('\n', " ");
        format!(
            "{} on {}: fails{since} ({times}, again at {}): {error}",
            self.recipe,
            self.connection,
            time(self.due)
        )
    }
}

/// A time in listings.
pub(super) fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%SZ").to_string()
}
