//! The state of a workspace's pollers, from their cursors.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::time::time;
use crate::event::{Cursor, MovedRecords, PassSummary, WithheldRemovals};

/// A poller.
#[derive(Debug, Clone, Serialize)]
pub struct PollRow {
    /// The recipe.
    pub recipe: String,
    /// The connection that it reads.
    pub connection: String,
    /// When a poll last completed.
    pub succeeded: Option<DateTime<Utc>>,
    /// When it polls next.
    pub due: DateTime<Utc>,
    /// Consecutive failures.
    pub failures: u32,
    /// Since when.
    pub failing_since: Option<DateTime<Utc>>,
    /// The last failure.
    pub error: Option<String>,
    /// Why it waits, if not because of an error.
    pub waits: Option<String>,
    /// Removed records that it does not report, because too many are gone at once.
    pub withheld: Option<Box<WithheldRemovals>>,
    /// Records that it found to be there although its list shows them no more.
    pub moved: Option<Box<MovedRecords>>,
    /// The present interval in seconds, if it adapts.
    pub interval: Option<f64>,
    /// Polls in a row that found nothing, if its interval adapts.
    pub quiet_polls: Option<u32>,
    /// Of a list that is read for each parent: what the last pass over the parents came to.
    pub parents: Option<PassSummary>,
    /// Whether it polls as seldom as it may because little is left of the budget.
    pub spares_budget: bool,
}

impl PollRow {
    /// The poller of `cursor`; `None` if it belongs to a schedule, a backfill or the parents of a list.
    pub fn from_cursor(cursor: &Cursor) -> Option<Self> {
        let (health, pace) = (&cursor.health, &cursor.pace);
        if cursor.key.is_secondary() {
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
            withheld: cursor.withheld.clone(),
            moved: cursor.moved.clone(),
            interval: pace.interval_ms.map(|ms| ms as f64 / 1000.0),
            quiet_polls: pace.interval_ms.map(|_| pace.quiet),
            parents: cursor.over.last.clone(),
            spares_budget: pace.spares_budget,
        })
    }

    /// Whether its polls fail.
    pub fn fails(&self) -> bool {
        self.failures > 0
    }

    /// The removed records that it withholds, in one line.
    pub fn withheld(&self) -> Option<String> {
        let withheld = self.withheld.as_ref()?;
        let since = time(withheld.since);
        Some(format!("{} on {}: since {since}: {}", self.recipe, self.connection, withheld.reason))
    }

    /// The records that were moved, in one line, if there are any.
    pub fn moved(&self) -> Option<String> {
        let MovedRecords { count, record, at, .. } = self.moved.as_deref()?;
        Some(format!(
            "{} on {}: {count} at {}; the last one: {record}",
            self.recipe,
            self.connection,
            time(*at)
        ))
    }

    /// The parents whose lists could not be read, in one line, if there are any.
    pub fn skipped(&self) -> Option<String> {
        let pass = self.parents.as_ref().filter(|pass| pass.skipped > 0)?;
        let (skipped, all) = (pass.skipped, pass.asked + pass.skipped);
        let reason = pass.reason.as_deref().unwrap_or("unknown");
        Some(format!("{} on {}: {skipped} of {all}; the last one: {reason}", self.recipe, self.connection))
    }

    /// The present interval in one line, if it adapts.
    pub fn pace(&self) -> Option<String> {
        let why = match self.quiet_polls? {
            _ if self.spares_budget => "little is left of the day's requests".to_owned(),
            0 => "the last poll found something".to_owned(),
            1 => "the last poll found nothing".to_owned(),
            quiet => format!("the last {quiet} polls found nothing"),
        };
        Some(format!("{} on {}: every {} s, {why}", self.recipe, self.connection, self.interval?))
    }

    /// A failing poller in one line.
    pub fn complaint(&self) -> String {
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

/// Lines about the removed records that `polls` withhold: which, and what to do.
pub fn withheld_removals<'a>(polls: impl IntoIterator<Item = &'a PollRow>) -> Vec<String> {
    let mut lines = Vec::new();
    let mut missing: BTreeMap<&str, u64> = BTreeMap::new();
    for poll in polls {
        lines.extend(poll.withheld());
        if let Some(withheld) = &poll.withheld {
            *missing.entry(&poll.recipe).or_default() += withheld.missing;
        }
    }
    lines.extend(missing.iter().map(|(recipe, count)| {
        format!("if they were removed: `hob resume {recipe} --accept-removed {count}`")
    }));
    if !missing.is_empty() {
        lines.push(
            "if the API answers wrongly, wait: it goes on by itself once the list shows them again"
                .to_owned(),
        );
    }
    lines
}
