//! What became of what was decided, and the entries that record it.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::RunId;
use super::backoff::next_attempt;
use super::command::{Probe, StepCall};
use super::effect::method;
use super::entry::{Entry, KnownBy, StepError};
use crate::catalog::Builtin;
use crate::value::{Backoff, Value, after};

/// Shortest wait: what has to wait for no time at all is not asked in a busy loop.
const MIN_WAIT: Duration = Duration::from_millis(50);

/// Waits between two probes of the same step.
const PROBE_BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(256));

/// What became of a step that was performed.
#[derive(Debug, Clone, PartialEq)]
pub enum StepResult {
    /// It is done; this is what later steps see.
    Done(Value),
    /// It did not happen, or may be sent again without harm.
    Again {
        /// Why.
        error: StepError,
        /// Earliest time for the next attempt.
        not_before: Option<Duration>,
        /// It may have been done all the same.
        lost: bool,
    },
    /// It was not sent or refused for the rate: no attempt is used up.
    Later {
        /// When to go on.
        wait: Duration,
        /// Why.
        reason: String,
    },
    /// Its connection is held, because the credential is refused: no attempt is used up.
    Held {
        /// When to see again, if nothing is heard before.
        wait: Duration,
        /// Why.
        reason: String,
    },
    /// It failed for good.
    Refused(StepError),
    /// It failed for good, as there is no such record, or none any more.
    Gone(StepError),
    /// It was refused, as it would double the record with this id.
    Exists(StepError, String),
    /// It was sent, and whether it happened is unknown.
    InDoubt {
        /// What is known.
        reason: String,
        /// HTTP status, where there was an answer.
        status: Option<u16>,
    },
}

/// What a probe found.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// It happened; this is what later steps see.
    Happened(Value),
    /// It did not happen.
    DidNotHappen,
    /// It is not there, and may be yet: lists lag.
    NotYet {
        /// The time from which on it must be there.
        shown: DateTime<Utc>,
        /// What is known.
        reason: String,
    },
    /// It cannot be told: a person has to say.
    Unclear {
        /// Why.
        reason: String,
    },
    /// The probe itself got no answer.
    Later {
        /// When to look again.
        wait: Duration,
        /// Why.
        reason: String,
    },
}

impl StepCall {
    /// The entry that records `step_result`.
    pub fn entry(&self, run: &RunId, step_result: StepResult, now: DateTime<Utc>) -> Entry {
        let (step, attempt) = (self.step.clone(), self.attempt);
        match step_result {
            StepResult::Done(result) => Entry::StepSucceeded {
                step,
                attempt,
                result: result.into(),
                known_by: None,
                truncated: false,
            },
            StepResult::Again { error, not_before, lost } if self.may_try_again => {
                let next = next_attempt(&self.retry, run, &step, attempt, not_before, now);
                Entry::StepFailed { step, attempt, error, retry_at: Some(next), lost }
            }
            StepResult::Again { mut error, lost, .. } => {
                if attempt > 1 {
                    error.message = format!("gave up after {attempt} attempts: {}", error.message);
                }
                Entry::StepFailed { step, attempt, error, retry_at: None, lost }
            }
            StepResult::Later { wait, reason } => {
                let until = after(now, wait.max(MIN_WAIT));
                Entry::Deferred { step, until, reason, held: false }
            }
            StepResult::Held { wait, reason } => {
                let until = after(now, wait.max(MIN_WAIT));
                Entry::Deferred { step, until, reason, held: true }
            }
            // Gone is done, where an earlier attempt may have done it.
            StepResult::Gone(_) if self.first_lost.is_some() && self.removes() => Entry::StepSucceeded {
                step,
                attempt,
                result: Value::Null.into(),
                known_by: Some(KnownBy::Gone),
                truncated: false,
            },
            // The record there is may be what an earlier attempt made.
            StepResult::Exists(error, id) if self.first_lost.is_some() && self.operation.probe.is_some() => {
                Entry::InDoubt {
                    step,
                    attempt,
                    reason: error.message,
                    status: error.status,
                    interrupted: false,
                    existing: Some(id),
                }
            }
            StepResult::Refused(error) | StepResult::Gone(error) | StepResult::Exists(error, _) => {
                Entry::StepFailed { step, attempt, error, retry_at: None, lost: false }
            }
            StepResult::InDoubt { reason, status } => {
                Entry::InDoubt { step, attempt, reason, status, interrupted: false, existing: None }
            }
        }
    }
}

impl StepCall {
    fn removes(&self) -> bool {
        match self.operation.builtin {
            Some(Builtin::HttpRequest) => method(&self.inputs) == "DELETE",
            _ => self.operation.removes(),
        }
    }
}

impl Probe {
    /// The entry that records `finding`.
    pub fn entry(&self, finding: Finding, now: DateTime<Utc>) -> Entry {
        let (step, attempt, known_by) = (self.step.clone(), self.attempt, KnownBy::Probe);
        match finding {
            Finding::Happened(result) => Entry::StepSucceeded {
                step,
                attempt,
                result: result.into(),
                known_by: Some(known_by),
                truncated: false,
            },
            Finding::DidNotHappen => Entry::DidNotHappen { step, attempt, known_by },
            Finding::NotYet { shown, reason } => {
                // What is shown at once is found at once, and the last look comes when it has to be there.
                let soon = after(now, PROBE_BACKOFF.pause(self.deferrals.saturating_add(1)));
                let until = soon.min(shown).max(after(now, MIN_WAIT));
                Entry::Deferred { step, until, reason, held: false }
            }
            Finding::Unclear { reason } => Entry::Parked { step, reason },
            Finding::Later { wait, reason } => {
                // A probe that keeps failing is asked less and less often.
                let patient = PROBE_BACKOFF.pause(self.deferrals.saturating_add(1));
                Entry::Deferred { step, until: after(now, wait.max(patient)), reason, held: false }
            }
        }
    }
}
