//! What an alert is about.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::overview::{Problem, ProblemKind};
use crate::printable;
use crate::workspace::AlertKind;

/// Most characters of a reason in a title.
const MAX_REASON: usize = 200;

/// A cause, as it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// It in a few words that stay the same as long as it goes on.
    pub title: String,
    /// It in a sentence, with what is known now.
    pub summary: String,
    /// Why.
    pub reason: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The recipe, if it is about one.
    pub recipe: Option<String>,
    /// The step that failed.
    pub step: Option<String>,
    /// Its operation.
    pub operation: Option<String>,
    /// The HTTP status of the answer.
    pub status: Option<u16>,
    /// The place in the recipe: `file:line:column`.
    pub place: Option<String>,
    /// The connections.
    pub connections: Vec<String>,
    /// Since when.
    pub since: Option<DateTime<Utc>>,
    /// The newest of its runs.
    pub example: Option<String>,
    /// Commands that show more or do something about it.
    pub commands: Vec<String>,
}

impl About {
    /// What `problem` is about.
    pub(super) fn of(problem: Problem) -> Self {
        let recipe = problem.recipe.as_deref().unwrap_or_default();
        let connection = problem.connections.join(", ");
        let title = match problem.kind {
            ProblemKind::Parked | ProblemKind::Failed => format!("{recipe}: {}", short(&problem.reason)),
            ProblemKind::Held => format!("{connection}: its credential is refused"),
            ProblemKind::Consent => format!("{connection}: {}", short(&problem.reason)),
            ProblemKind::Poll => format!("{recipe} on {connection}: its poll fails"),
            ProblemKind::Alert => problem.summary.clone(),
        };
        Self {
            title,
            summary: problem.summary,
            reason: problem.reason,
            help: problem.help,
            recipe: problem.recipe,
            step: problem.step,
            operation: problem.operation,
            status: problem.status,
            place: problem.place.map(|place| place.to_string()),
            connections: problem.connections,
            since: problem.since,
            example: problem.example.map(|run| run.to_string()),
            commands: problem.commands,
        }
    }

    /// Something else than a problem of the overview.
    pub(super) fn plain(title: String, summary: String) -> Self {
        Self {
            reason: summary.clone(),
            title,
            summary,
            help: None,
            recipe: None,
            step: None,
            operation: None,
            status: None,
            place: None,
            connections: Vec::new(),
            since: None,
            example: None,
            commands: Vec::new(),
        }
    }
}

/// The kind of alert for a kind of problem.
pub(super) fn kind_of(problem: ProblemKind) -> Option<AlertKind> {
    match problem {
        ProblemKind::Parked => Some(AlertKind::Parked),
        ProblemKind::Held => Some(AlertKind::Held),
        ProblemKind::Consent => Some(AlertKind::Token),
        ProblemKind::Failed => Some(AlertKind::Failed),
        ProblemKind::Poll => Some(AlertKind::Poll),
        // Those who cannot be reached cannot be told.
        ProblemKind::Alert => None,
    }
}

/// A time, for people.
pub(super) fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

fn short(reason: &str) -> String {
    let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
    printable::line(&reason, MAX_REASON)
}
