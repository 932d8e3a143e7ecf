//! One event through one recipe: its identity, its states, its durable entries, and the pure machine
//! that decides what is to be done next. Nothing here sends, stores, or asks for the time.

mod backoff;
mod builtin;
mod compatibility;
mod effect;
mod entry;
mod intervention;
mod machine;
pub mod probe;
mod redact;
mod repeated;
mod status;
mod step_result;
mod template_scope;
#[cfg(test)]
pub(crate) mod testing;
mod truncate;
mod unknown;
mod unknown_fields;
mod unsettled;
mod writes;

pub use compatibility::incompatibility;
pub use effect::{effect, method};
pub use entry::{Entry, MirroredToken, StampedEntry, StepError, StepKey};
pub use intervention::{Intervened, InvalidIntervention, OperatorAction, rule};
pub use machine::{Command, Decision, Machine, Probe, StepCall};
pub use redact::told;
pub use repeated::{Attempts, depends_on_other_writers, restore_first_answer, take_marks};
pub use status::{Phase, Started, Status, StepStatus};
pub use step_result::{Finding, GONE, StepResult};
pub use template_scope::{RunContext, about};
pub use unknown_fields::UnknownFields;
pub use unsettled::Unsettled;
pub use writes::{Write, item_id, record_id, writes};

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event::EventId;

/// Stands for the step in entries about what comes before the first: the condition, the lane and the
/// variables. No action has such an id.
pub const START: &str = "(start)";

/// The step that fetches the whole record of a thin event. No action has such an id.
pub const HYDRATE: &str = "(hydrate)";

/// Identity of a run.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub String);

impl RunId {
    /// A new one; later ones sort after earlier ones.
    pub fn new() -> Self {
        Self(format!("run_{}", Uuid::now_v7().simple()))
    }
}

impl Default for RunId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The connection a run uses for each connector: connector → connection.
pub type Accounts = IndexMap<String, String>;

/// One event through one recipe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Identity.
    pub id: RunId,
    /// The event.
    pub event: EventId,
    /// The recipe's name.
    pub recipe: String,
    /// Version of the recipe it began with, once it began.
    pub version: Option<String>,
    /// Connections it uses.
    pub accounts: Accounts,
    /// Runs of one recipe and lane go one at a time, in event order.
    pub lane: String,
    /// When it came to be.
    pub created: DateTime<Utc>,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Not begun, waiting for its lane, a retry, a timer or a budget.
    Waiting,
    /// A worker has it.
    Running,
    /// All steps done.
    Succeeded,
    /// A step failed for good.
    Failed,
    /// The recipe's `when` did not hold.
    Filtered,
    /// Dropped as an echo of hob's own write.
    Suppressed,
    /// Waits for a person: hob cannot know whether a step happened.
    Parked,
    /// A person decided to leave it.
    Skipped,
}

impl RunState {
    /// All states, in the order of a run's life.
    pub const ALL: [RunState; 8] = [
        RunState::Waiting,
        RunState::Running,
        RunState::Succeeded,
        RunState::Failed,
        RunState::Filtered,
        RunState::Suppressed,
        RunState::Parked,
        RunState::Skipped,
    ];

    /// The name used everywhere.
    pub fn name(self) -> &'static str {
        match self {
            RunState::Waiting => "waiting",
            RunState::Running => "running",
            RunState::Succeeded => "succeeded",
            RunState::Failed => "failed",
            RunState::Filtered => "filtered",
            RunState::Suppressed => "suppressed",
            RunState::Parked => "parked",
            RunState::Skipped => "skipped",
        }
    }

    /// Nothing more happens by itself, and the lane goes on. A parked run holds its lane.
    pub fn is_finished(self) -> bool {
        !matches!(self, RunState::Waiting | RunState::Running | RunState::Parked)
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for RunState {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = RunState::ALL.map(RunState::name).join(", ");
        RunState::ALL
            .into_iter()
            .find(|state| state.name() == name)
            .ok_or_else(|| format!("no state `{name}`; states are {known}"))
    }
}
