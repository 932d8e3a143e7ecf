//! Results of commands, and the entries that record them.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::RunId;
use super::backoff::next_attempt;
use super::command::{Probe, StepCall};
use super::entry::{Entry, KnownBy, StepError, WaitKind};
use crate::catalog::{Builtin, Effect, method};
use crate::recipe::OnMissing;
use crate::value::{Backoff, Value, after};

/// Minimum wait, against busy loops.
const MIN_WAIT: Duration = Duration::from_millis(50);

/// Delays between probes of the same step.
const PROBE_BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(256));

/// The result of executing a step.
#[derive(Debug, Clone, PartialEq)]
pub enum StepResult {
    /// It succeeded, with this result for later steps.
    Done(Value),
    /// It did not happen, or may be repeated without harm.
    Again {
        /// Why.
        error: StepError,
        /// Earliest time of the next attempt.
        not_before: Option<Duration>,
        /// It may have happened.
        lost: bool,
    },
    /// It was not sent, or was rate limited: does not count as an attempt.
    Later {
        /// When to continue.
        wait: Duration,
        /// Why.
        reason: String,
        /// What it waits for, where that is known.
        kind: Option<WaitKind>,
    },
    /// Its connection is held because of its credential: does not count as an attempt.
    Held {
        /// When to check again, unless notified before.
        wait: Duration,
        /// Why.
        reason: String,
    },
    /// It failed permanently.
    Refused(StepError),
    /// It failed permanently because the record does not exist.
    Gone(StepError),
    /// It was rejected because it would duplicate the record with this id.
    Exists(StepError, String),
    /// It was sent, and its outcome is unknown.
    InDoubt {
        /// What is known.
        reason: String,
        /// HTTP status, if there was an answer.
        status: Option<u16>,
    },
}

/// The result of a probe.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// It happened, with this result for later steps.
    Happened(Value),
    /// It did not happen.
    DidNotHappen,
    /// It is not there yet, but lists lag.
    NotYet {
        /// The time from which it must be visible.
        shown: DateTime<Utc>,
        /// What is known.
        reason: String,
    },
    /// Undecidable: a person must say.
    Unclear {
        /// Why.
        reason: String,
    },
    /// The probe itself got no answer.
    Later {
        /// When to probe again.
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
                Entry::StepFailed { step, attempt, error, retry_at: Some(next), lost, read: None }
            }
            StepResult::Again { mut error, lost, .. } => {
                if attempt > 1 {
                    error.message = format!("gave up after {attempt} attempts: {}", error.message);
                }
                Entry::StepFailed { step, attempt, error, retry_at: None, lost, read: self.read_inputs() }
            }
            StepResult::Later { wait, reason, kind } => {
                let until = after(now, wait.max(MIN_WAIT));
                Entry::Deferred { step, until, reason, held: false, kind }
            }
            StepResult::Held { wait, reason } => {
                let until = after(now, wait.max(MIN_WAIT));
                Entry::Deferred { step, until, reason, held: true, kind: None }
            }
            // A missing record is a success if the recipe says so, or an earlier attempt may have removed it.
            StepResult::Gone(_)
                if self.on_missing == OnMissing::Continue || self.first_lost.is_some() && self.removes() =>
            {
                Entry::StepSucceeded {
                    step,
                    attempt,
                    result: Value::Null.into(),
                    known_by: Some(KnownBy::Gone),
                    truncated: false,
                }
            }
            // An earlier attempt may have created the existing record.
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
                Entry::StepFailed {
                    step,
                    attempt,
                    error,
                    retry_at: None,
                    lost: false,
                    read: self.read_inputs(),
                }
            }
            StepResult::InDoubt { reason, status } => {
                Entry::InDoubt { step, attempt, reason, status, interrupted: false, existing: None }
            }
        }
    }
}

impl StepCall {
    /// What it asks for, if it is a read.
    fn read_inputs(&self) -> Option<Value> {
        (self.effect == Effect::Read).then(|| Value::Object(self.inputs.clone()))
    }

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
                // Records that are visible at once are found at once; the last probe comes when the record must be
                // visible.
                let soon = after(now, PROBE_BACKOFF.pause(self.deferrals.saturating_add(1)));
                let until = soon.min(shown).max(after(now, MIN_WAIT));
                Entry::Deferred { step, until, reason, held: false, kind: None }
            }
            Finding::Unclear { reason } => Entry::Parked { step, reason },
            Finding::Later { wait, reason } => {
                // A failing probe is repeated with growing delays.
                let patient = PROBE_BACKOFF.pause(self.deferrals.saturating_add(1));
                {
                    let until = after(now, wait.max(patient));
                    Entry::Deferred { step, until, reason, held: false, kind: None }
                }
            }
        }
    }
}
