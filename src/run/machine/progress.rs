//! The progress of an action, and the data for deciding a step.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::check::CheckedAction;
use crate::recipe::{Action, OnError};
use crate::run::command::Command;
use crate::run::entry::{StepError, StepKey};
use crate::template::Scope;
use crate::value::Value;

/// The progress of an action.
pub(super) enum Progress {
    /// The engine must execute a command.
    Command(Command),
    /// An entry was added; decide again.
    More,
    /// The action is complete, with this result.
    Complete(Arc<Value>),
    /// The step failed, and with it the run.
    Failed(StepKey, StepError),
    /// Only a person can tell whether the step was carried out.
    Parked(StepKey, String),
}

/// A step with the data for deciding it.
pub(super) struct CurrentStep<'a> {
    pub(super) action: CheckedAction<'a>,
    pub(super) key: StepKey,
    pub(super) scope: Scope,
    pub(super) after_failure: bool,
    pub(super) now: DateTime<Utc>,
}

/// The consequence of a step's failure.
pub(super) fn after(action: &Action, key: StepKey, error: StepError, instead: Arc<Value>) -> Progress {
    match action.on_error {
        OnError::Continue => Progress::Complete(instead),
        OnError::Fail => Progress::Failed(key, error),
    }
}
