//! A problem: one cause, however many runs it has.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::Place;
use super::time::time;
use crate::event::Cursor;
use crate::journal::HeldConnection;
use crate::printable;
use crate::run::RunId;

/// Most characters of a reason within a summary.
const MAX_REASON: usize = 300;

/// The kinds of problems, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// Runs wait until a person decides.
    Parked,
    /// A connection sends nothing, because its credential is refused.
    Held,
    /// A connection has no token, or will have none.
    Consent,
    /// Runs have failed.
    Failed,
    /// The polls of a recipe fail.
    Poll,
    /// Somebody cannot be told of alerts.
    Alert,
}

/// A problem. Scripts rely on these fields.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Problem {
    /// Its kind.
    pub kind: ProblemKind,
    /// It in a sentence.
    pub summary: String,
    /// The id of the cause, for `--cause`; null for what is not about runs.
    pub cause: Option<String>,
    /// The recipe, if it is about one.
    pub recipe: Option<String>,
    /// The step that failed, if the history names it.
    pub step: Option<String>,
    /// The operation of that step.
    pub operation: Option<String>,
    /// The HTTP status of the answer, if there was one.
    pub status: Option<u16>,
    /// Where the step is in the recipe as it is now, if it is still there.
    pub place: Option<Place>,
    /// Why: word for word if all runs have the same reason, and otherwise without what differs.
    pub reason: String,
    /// What the connector or hob advises.
    pub help: Option<String>,
    /// The number of runs.
    pub runs: u64,
    /// Runs behind these in their lanes, which wait as well.
    pub behind: u64,
    /// The connections, by name.
    pub connections: Vec<String>,
    /// Since when.
    pub since: Option<DateTime<Utc>>,
    /// When it was last seen.
    pub last: Option<DateTime<Utc>>,
    /// The newest of the runs.
    pub example: Option<RunId>,
    /// Commands that show more or do something about it.
    pub commands: Vec<String>,
}

impl Problem {
    pub(super) fn new(kind: ProblemKind, reason: String) -> Self {
        Self {
            kind,
            summary: String::new(),
            cause: None,
            recipe: None,
            step: None,
            operation: None,
            status: None,
            place: None,
            reason,
            help: None,
            runs: 0,
            behind: 0,
            connections: Vec::new(),
            since: None,
            last: None,
            example: None,
            commands: Vec::new(),
        }
    }

    /// A connection that is held.
    pub fn held(held: &HeldConnection) -> Self {
        let connection = held.connection.clone();
        Self {
            summary: format!(
                "{connection} sends nothing since {}, because its credential is refused; its polls and runs wait: {}",
                time(held.since),
                short(&held.reason)
            ),
            since: Some(held.since),
            commands: vec!["hob connections".to_owned()],
            connections: vec![connection],
            ..Self::new(ProblemKind::Held, held.reason.clone())
        }
    }

    /// A connection whose token has ended or will end, and cannot be fetched again without a person.
    pub fn consent(connection: &str, ends: Option<DateTime<Utc>>) -> Self {
        let reason = match ends {
            Some(ends) => format!("its token ends at {} and cannot be renewed by itself", time(ends)),
            None => "it is not connected".to_owned(),
        };
        Self {
            summary: format!("{connection}: {reason}"),
            connections: vec![connection.to_owned()],
            commands: vec![format!("hob connect {connection}")],
            ..Self::new(ProblemKind::Consent, reason)
        }
    }

    /// The poll of `cursor`, if it fails.
    pub fn failing_poll(cursor: &Cursor) -> Option<Self> {
        let connection = cursor.health.connection.clone()?;
        if cursor.failures == 0 || cursor.key.is_secondary() {
            return None;
        }
        let (recipe, reason) = (cursor.key.recipe(), cursor.error.as_deref().unwrap_or("unknown"));
        let times =
            if cursor.failures == 1 { "once".to_owned() } else { format!("{} times", cursor.failures) };
        let since = cursor.health.failing_since.map(|at| format!(" since {}", time(at))).unwrap_or_default();
        Some(Self {
            summary: format!(
                "{recipe} on {connection}: its poll fails{since} ({times}, again at {}): {}",
                time(cursor.due),
                short(reason)
            ),
            recipe: Some(recipe.to_owned()),
            since: cursor.health.failing_since,
            connections: vec![connection],
            ..Self::new(ProblemKind::Poll, reason.to_owned())
        })
    }

    /// A destination that alerts do not reach: `waiting` of them wait for it, to be tried `again` then.
    pub fn unreached(
        destination: &str,
        waiting: u64,
        since: Option<DateTime<Utc>>,
        again: DateTime<Utc>,
        reason: &str,
    ) -> Self {
        let begin = since.map(|at| format!(" since {}", time(at))).unwrap_or_default();
        Self {
            summary: format!(
                "alerts do not reach {destination}{begin} ({} waiting, again at {}): {}",
                waiting,
                time(again),
                short(reason)
            ),
            since,
            commands: vec![format!("hob alerts test {destination}")],
            ..Self::new(ProblemKind::Alert, reason.to_owned())
        }
    }

    /// What is known about its runs, in a sentence.
    pub(super) fn summary_of_runs(&self) -> String {
        let recipe = self.recipe.as_deref().unwrap_or_default();
        let what = if self.kind == ProblemKind::Parked { "waiting for you" } else { "failed" };
        let mut facts = vec![format!("{} {what}", counted(self.runs, "run"))];
        if self.connections.len() > 1 {
            facts.push(counted(self.connections.len() as u64, "connection"));
        }
        if let Some(since) = self.since {
            let when = if self.runs > 1 { "since" } else { "at" };
            facts.push(format!("{when} {}", time(since)));
        }
        if self.behind > 0 {
            facts.push(format!("{} held up behind", counted(self.behind, "run")));
        }
        format!("{recipe}: {} ({})", short(&self.reason), facts.join(", "))
    }
}

/// A reason in one line, cut if it is long.
fn short(reason: &str) -> String {
    let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
    printable::line(&reason, MAX_REASON)
}

/// `1 run`, `3 runs`
fn counted(count: u64, thing: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{ending}")
}
