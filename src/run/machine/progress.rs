//! How far an action is, and a step with what belongs to deciding it.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::check::CheckedAction;
use crate::recipe::{Action, OnError};
use crate::run::command::Command;
use crate::run::entry::{StepError, StepKey};
use crate::template::Scope;
use crate::value::Value;

/// How far an action is.
pub(super) enum Progress {
    /// Something is to be done outside.
    Command(Command),
    /// Something was recorded; decide again.
    More,
    /// All of it is done; this is its result.
    Complete(Arc<Value>),
    /// It failed, and so does the run.
    Failed(StepKey, StepError),
    /// Only a person can tell whether it happened.
    Parked(StepKey, String),
}

/// A step and what belongs to deciding it.
pub(super) struct Site<'a> {
    pub(super) action: CheckedAction<'a>,
    pub(super) key: StepKey,
    pub(super) scope: Scope,
    pub(super) after_failure: bool,
    pub(super) now: DateTime<Utc>,
}

/// What a step's failure means.
pub(super) fn after(action: &Action, key: StepKey, error: StepError, instead: Arc<Value>) -> Progress {
    match action.on_error {
        OnError::Continue => Progress::Complete(instead),
        OnError::Fail => Progress::Failed(key, error),
    }
}
