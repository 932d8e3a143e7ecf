//! Converts the outcome of a request to the outcome of its step.

use std::time::Duration;

use serde_json::Value;

use crate::catalog::{Effect, Operation};
use crate::journal;
use crate::request::{HeldBy, InputProblem, Outcome, Refusal, list, result};
use crate::run::{Difference, ShownRecord, StepError, StepResult, UnknownFields, WaitKind, take_marks};

/// The result of a step, with remarks for the history.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StepOutcome {
    pub(super) step_result: StepResult,
    pub(super) remark: Option<String>,
    /// A remark about the rest of a partially read list.
    pub(super) more: Option<String>,
    /// What was sent and not kept, though the answer was good.
    pub(super) not_kept: Vec<Difference>,
    /// The unknown parts of the result.
    pub(super) unknown: Option<UnknownFields>,
    /// The record in the answer.
    pub(super) shown: ShownRecord,
}

impl From<StepResult> for StepOutcome {
    fn from(step_result: StepResult) -> Self {
        Self {
            step_result,
            remark: None,
            more: None,
            not_kept: Vec::new(),
            unknown: None,
            shown: ShownRecord::default(),
        }
    }
}

impl StepOutcome {
    /// Removes markers of unknown values, which have this reason, from the result.
    pub(super) fn unknown_for(mut self, reason: Option<String>) -> Self {
        if let (Some(reason), StepResult::Done(result)) = (reason, &mut self.step_result) {
            let fields = take_marks(result);
            self.unknown = (!fields.is_empty()).then_some(UnknownFields { fields, reason });
        }
        self
    }
}

/// The outcome of a step with `operation`.
pub(super) fn outcome_of(outcome: Outcome, operation: &Operation, pick: Option<&str>) -> StepOutcome {
    match outcome {
        Outcome::Ok(answer) => {
            let shown = match operation.effect {
                Effect::Read => ShownRecord::default(),
                _ => ShownRecord::of(operation, &answer.body),
            };
            StepOutcome { shown, ..done(&answer.body, operation, pick) }
        }
        Outcome::RateLimited { retry_after } => {
            let seconds = retry_after.as_secs();
            let reason = format!("rate limited by the server; waiting {seconds} s");
            StepResult::Later { wait: retry_after, reason, kind: Some(WaitKind::Api) }.into()
        }
        Outcome::Held { wait, reason, by } => {
            let kind = match by {
                HeldBy::Budget => Some(WaitKind::Budget),
                HeldBy::Breaker => Some(WaitKind::Breaker),
                HeldBy::Suspension => None,
            };
            StepResult::Later { wait, reason, kind }.into()
        }
        Outcome::Unauthorized { wait, reason, .. } => StepResult::Held { wait, reason }.into(),
        Outcome::TryAgain { reason, status, retry_after, lost } => {
            let error = StepError { status, ..StepError::new(reason) };
            let not_before = retry_after.map(|wait| wait.min(Duration::from_secs(86_400)));
            StepResult::Again { error, not_before, lost }.into()
        }
        Outcome::Refused(mut refusal) => match (refusal.existing.take(), refusal.gone) {
            (Some(id), _) => StepResult::Exists(refused(refusal), id).into(),
            (None, true) => StepResult::Gone(refused(refusal)).into(),
            (None, false) => StepResult::Refused(refused(refusal)).into(),
        },
        Outcome::InDoubt { reason, status } => StepResult::InDoubt { reason, status }.into(),
    }
}

/// It succeeded, whatever its answer: a completed step must not be repeated.
pub(super) fn done(body: &Value, operation: &Operation, pick: Option<&str>) -> StepOutcome {
    told(result(operation, body, pick))
}

/// The same for a result that may be missing.
pub(super) fn told(result: Result<Value, String>) -> StepOutcome {
    match result {
        Ok(result) => StepResult::Done(result).into(),
        Err(reason) => {
            let remark = Some(format!("{reason}; the result is null"));
            StepOutcome { remark, ..StepResult::Done(Value::Null).into() }
        }
    }
}

fn refused(refusal: Refusal) -> StepError {
    StepError { status: refusal.status, help: refusal.help, ..StepError::new(refusal.message) }
}

/// Invalid inputs.
pub(super) fn unusable(operation: &str, problems: &[InputProblem]) -> StepResult {
    StepResult::Refused(StepError::new(format!("`{operation}` cannot be sent: {}", list(problems))))
}

/// A rejection by hob.
pub(super) fn refuse(message: impl Into<String>) -> StepOutcome {
    StepResult::Refused(StepError::new(message)).into()
}
/// Failures of the store are temporary; the step is retried.
pub(super) fn store_failure(error: &journal::Error) -> StepOutcome {
    StepResult::Again { error: StepError::new(error.to_string()), not_before: None, lost: false }.into()
}
