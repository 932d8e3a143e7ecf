//! The acts that there are.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::intervention::Intervention;
use crate::journal;
use crate::run::OperatorAction;

/// What a person does about runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::dashboard) enum Act {
    /// They go on from the step that failed.
    Retry,
    /// They are done again from the start.
    Restart,
    /// They are given up.
    Skip,
    /// The unclear step did not happen.
    DidNot,
    /// The unclear step happened.
    Happened,
}

impl Act {
    /// The intervention, as the command line does it. `result` is that of the step which happened.
    pub(in crate::dashboard) fn intervention(self, result: Value, dry: bool) -> Intervention {
        let (action, with_current_recipe) = match self {
            Self::Retry => (OperatorAction::Retry, true),
            Self::Restart => (OperatorAction::Restart, true),
            Self::Skip => (OperatorAction::Skip, false),
            Self::DidNot => (OperatorAction::DidNotHappen, false),
            Self::Happened => (OperatorAction::Happened(result), false),
        };
        Intervention { action, with_current_recipe, dry }
    }

    /// What is done with a run.
    pub(in crate::dashboard) fn done(self) -> &'static str {
        match self {
            Self::Retry => "retried",
            Self::Restart => "done again from the start",
            Self::Skip => "skipped",
            Self::DidNot | Self::Happened => "resolved",
        }
    }

    /// Its name in the audit log.
    pub(super) fn recorded(self) -> journal::Act {
        self.intervention(Value::Null, false).act()
    }

    /// It as a command.
    pub(in crate::dashboard) fn word(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Restart => "restart",
            Self::Skip => "skip",
            Self::DidNot => "did-not",
            Self::Happened => "happened",
        }
    }
}
