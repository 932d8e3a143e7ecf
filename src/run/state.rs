//! State of a run.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// State of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Not started, or waiting for its lane, a retry, a timer or a budget.
    Waiting,
    /// Leased by a worker.
    Running,
    /// All steps completed.
    Succeeded,
    /// A step failed permanently.
    Failed,
    /// The recipe's `when` was false, or the run was left to that of a later event about its record (`coalesce`).
    Filtered,
    /// Dropped as an echo of hob's own write.
    Suppressed,
    /// Waits for a person, because hob cannot find out whether a step was carried out.
    Parked,
    /// A person gave it up.
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

    /// The name in output and stores.
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

    /// Whether the run has ended and its lane continues. A parked run holds its lane.
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
