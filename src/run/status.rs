//! A run's history folded into where each step stands.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use indexmap::IndexMap;

use super::entry::{ChainLink, Entry, StampedEntry, StepError, StepKey};
use super::unknown_fields::UnknownFields;
use super::{KnownBy, RunState};
use crate::value::{Map, Value};

/// Where a run stands, as far as its entries tell.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Status {
    /// `when` held and the variables were worked out.
    pub started: Option<Started>,
    /// Steps in the order in which they were first mentioned.
    pub steps: IndexMap<StepKey, StepStatus>,
    /// Steps whose results were too large to keep.
    pub truncated: BTreeSet<StepKey>,
    /// The end, with the reason.
    pub finished: Option<(RunState, Option<String>)>,
    /// The step whose failure ended the run, where the history says so.
    pub failed: Option<StepKey>,
    /// Inputs of the steps that were sent, or are about to be, and of which nothing is known yet.
    pub unsettled: IndexMap<StepKey, Value>,
    /// The runs whose writes led to this one.
    pub chain: Vec<ChainLink>,
}

/// The beginning of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Started {
    /// When.
    pub at: DateTime<Utc>,
    /// Version of the recipe.
    pub version: String,
    /// Variables as they were stored, without secrets.
    pub vars: Map<String, Value>,
}

/// Where a step stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StepStatus {
    /// What it does now.
    pub phase: Phase,
    /// Attempts made.
    pub attempts: u32,
    /// Attempts that no longer count, because a person asked to go on.
    pub forgiven: u32,
    /// When the last attempt was about to be sent.
    pub sent: Option<DateTime<Utc>>,
    /// When the first of the attempts was about to be sent whose answers were lost.
    pub lost: Option<DateTime<Utc>>,
    /// Deferrals in a row.
    pub deferrals: u32,
    /// The list that it read has more than the result.
    pub more: bool,
    /// What is not known of its result.
    pub unknown: Option<UnknownFields>,
    /// Its result, of a step that is parked because something else reads what is not known of it.
    pub known: Option<Arc<Value>>,
}

/// What a step does.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Phase {
    /// To be done.
    #[default]
    Open,
    /// About to be sent, or sent, or answered without hob knowing it.
    Intended,
    /// Done.
    Done(Arc<Value>),
    /// Left out.
    Skipped,
    /// Failed for good.
    Failed(StepError),
    /// Waits for the next attempt.
    Waiting {
        /// Until when.
        until: DateTime<Utc>,
        /// Why.
        reason: String,
        /// Its connection is held: it may go on before, when the run is taken up again.
        held: bool,
    },
    /// A `wait` is under way.
    Paused {
        /// Until when.
        until: DateTime<Utc>,
        /// By the wall clock.
        by_wall: bool,
    },
    /// Sent, answer unknown.
    InDoubt {
        /// When the answer was missed.
        since: DateTime<Utc>,
        /// Not to be looked into before.
        until: DateTime<Utc>,
        /// What is known.
        reason: String,
        /// HTTP status, where there was an answer.
        status: Option<u16>,
        /// It was hob itself that stopped.
        interrupted: bool,
        /// The record there is, for which it was refused.
        existing: Option<String>,
    },
    /// A person has to say.
    Parked {
        /// What is known.
        reason: String,
    },
}

impl Status {
    /// The status after `entries`.
    pub fn fold<'a>(entries: impl IntoIterator<Item = &'a StampedEntry>) -> Self {
        let mut status = Self::default();
        for entry in entries {
            status.apply(entry);
        }
        status
    }

    /// Where a run that is taken up again stands: what waited for a held connection goes on, to see.
    #[must_use]
    pub fn resumed(mut self) -> Self {
        for step in self.steps.values_mut() {
            if let Phase::Waiting { until, held: true, .. } = &mut step.phase {
                *until = DateTime::<Utc>::MIN_UTC;
            }
        }
        self
    }

    /// Takes one more entry into account.
    pub fn apply(&mut self, stamped: &StampedEntry) {
        let at = stamped.at;
        self.settle(&stamped.entry);
        match &stamped.entry {
            Entry::Started { version, vars } => {
                self.started = Some(Started { at, version: version.clone(), vars: vars.clone() });
            }
            Entry::Finished { state, reason, step } => {
                self.finished = Some((*state, reason.clone()));
                if step.is_some() {
                    self.failed.clone_from(step);
                }
            }
            Entry::Remark { .. } => {}
            Entry::Caused { by } => self.chain.clone_from(by),
            Entry::Resumed { from } => self.resume(from),
            Entry::Restarted {} => *self = Self::default(),
            Entry::StepSkipped { step, .. } => self.step(step).phase = Phase::Skipped,
            Entry::MoreRecords { step, .. } => self.step(step).more = true,
            Entry::UnknownFields { step, fields, reason } => {
                let (fields, reason) = (fields.clone(), reason.clone());
                self.step(step).unknown = Some(UnknownFields { fields, reason });
            }
            Entry::StepSucceeded { step, result, truncated, known_by, .. } => {
                let is_told = *known_by == Some(KnownBy::Person);
                // What came after it did not read what a person adds to what is known.
                if is_told && self.of(step).known.is_none() {
                    self.forget_after(step);
                }
                let done = self.step(step);
                done.known = None;
                if is_told {
                    done.unknown = None;
                }
                done.phase = Phase::Done(Arc::clone(result));
                match truncated {
                    true => self.truncated.insert(step.clone()),
                    false => self.truncated.remove(step),
                };
            }
            Entry::WaitStarted { step, until, by_wall } => {
                self.step(step).phase = Phase::Paused { until: *until, by_wall: *by_wall };
            }
            Entry::Intent { step, attempt, .. } => {
                let step = self.step(step);
                step.attempts = *attempt;
                step.sent = Some(at);
                step.unknown = None;
                step.phase = Phase::Intended;
            }
            Entry::StepFailed { step, attempt, error, retry_at, lost } => {
                let step = self.step(step);
                step.attempts = *attempt;
                if *lost {
                    step.lost = step.lost.or(step.sent);
                }
                step.deferrals = 0;
                step.phase = match retry_at {
                    Some(until) => {
                        Phase::Waiting { until: *until, reason: error.message.clone(), held: false }
                    }
                    None => Phase::Failed(error.clone()),
                };
            }
            Entry::Deferred { step, until, reason, held } => self.step(step).defer(*until, reason, *held),
            Entry::InDoubt { step, attempt, reason, status, interrupted, existing } => {
                let step = self.step(step);
                step.attempts = *attempt;
                step.lost = step.lost.or(step.sent);
                let (reason, existing) = (reason.clone(), existing.clone());
                let (since, status, interrupted) = (at, *status, *interrupted);
                step.phase = Phase::InDoubt { since, until: at, reason, status, interrupted, existing };
            }
            Entry::DidNotHappen { step, known_by, .. } => {
                if *known_by == KnownBy::Person {
                    self.forget_after(step);
                }
                self.step(step).did_not_happen(*known_by);
            }
            Entry::Parked { step, reason } => {
                let step = self.step(step);
                if let Phase::Done(result) = &step.phase {
                    step.known = Some(Arc::clone(result));
                }
                step.phase = Phase::Parked { reason: reason.clone() };
                self.finished = None;
            }
        }
    }

    /// Where `step` stands.
    pub fn of(&self, step: &StepKey) -> StepStatus {
        self.steps.get(step).cloned().unwrap_or_default()
    }

    /// A list that the action `id` read has more than its result.
    pub fn has_more(&self, id: &str) -> bool {
        self.steps.iter().any(|(key, step)| key.action == id && step.more)
    }

    /// The failure before the first step, if there was one.
    pub fn start_failure(&self) -> Option<&StepError> {
        match self.steps.get(&StepKey::start()).map(|step| &step.phase) {
            Some(Phase::Failed(error)) => Some(error),
            _ => None,
        }
    }

    /// Which steps were sent, or are about to be, and nothing is known of them.
    fn settle(&mut self, entry: &Entry) {
        match entry {
            Entry::Intent { step, inputs, .. } => {
                self.unsettled.insert(step.clone(), inputs.clone());
            }
            // Of what is looked into, only the look is put off.
            Entry::Deferred { step, .. }
                if matches!(self.steps.get(step).map(|step| &step.phase), Some(Phase::InDoubt { .. })) => {}
            Entry::StepSucceeded { step, .. }
            | Entry::StepFailed { step, .. }
            | Entry::StepSkipped { step, .. }
            | Entry::DidNotHappen { step, .. }
            | Entry::Deferred { step, .. } => {
                self.unsettled.shift_remove(step);
            }
            _ => {}
        }
    }

    fn step(&mut self, step: &StepKey) -> &mut StepStatus {
        self.steps.entry(step.clone()).or_default()
    }

    /// What came after `step` was done because of what became of it: it is forgotten.
    fn forget_after(&mut self, step: &StepKey) {
        if let Some(index) = self.steps.get_index_of(step) {
            self.steps.truncate(index + 1);
            self.unsettled.retain(|step, _| self.steps.contains_key(step));
        }
    }

    /// What failed is open again; what was done because of the failure is forgotten.
    fn resume(&mut self, from: &StepKey) {
        self.finished = None;
        self.failed = None;
        self.forget_after(from);
        for (key, step) in &mut self.steps {
            let parked_before = *key == from.clone() && matches!(step.phase, Phase::Parked { .. });
            if parked_before || matches!(step.phase, Phase::Failed(_)) {
                step.phase = Phase::Open;
                step.forgiven = step.attempts;
            }
        }
    }
}

impl StepStatus {
    fn defer(&mut self, until: DateTime<Utc>, reason: &str, held: bool) {
        self.deferrals += 1;
        match &mut self.phase {
            // What was deferred is looking into it, not sending it.
            Phase::InDoubt { until: doubt, .. } => *doubt = until,
            phase => {
                if *phase == Phase::Intended {
                    self.attempts = self.attempts.saturating_sub(1);
                }
                *phase = Phase::Waiting { until, reason: reason.to_owned(), held };
            }
        }
    }

    fn did_not_happen(&mut self, known_by: KnownBy) {
        self.deferrals = 0;
        let phase = std::mem::take(&mut self.phase);
        if known_by == KnownBy::Person {
            self.forgiven = self.attempts;
            self.lost = None;
        } else if let Phase::InDoubt { reason, status: Some(status @ 400..=499), .. } = phase {
            // It was refused after all: the same request would be refused again.
            let error = StepError { status: Some(status), ..StepError::new(reason) };
            self.phase = Phase::Failed(error);
        } else if let Phase::InDoubt { interrupted: true, .. } = phase {
            // The server had no part in it: as with all other effects, the attempt is made again.
            self.attempts = self.attempts.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(second: i64, entry: Entry) -> StampedEntry {
        StampedEntry::new(DateTime::from_timestamp(second, 0).unwrap(), entry)
    }

    fn intent(action: &str, attempt: u32) -> Entry {
        let (operation, inputs) = ("x".to_owned(), json!({}));
        Entry::Intent { step: StepKey::of(action), attempt, operation, inputs }
    }

    fn failed(action: &str) -> Entry {
        Entry::StepFailed {
            step: StepKey::of(action),
            attempt: 2,
            error: StepError::new("no"),
            retry_at: None,
            lost: false,
        }
    }

    #[test]
    fn a_deferral_uses_no_attempt() {
        let until = DateTime::from_timestamp(9, 0).unwrap();
        let deferred = Entry::Deferred { step: StepKey::of("a"), until, reason: "429".into(), held: false };
        let status = Status::fold(&[at(1, intent("a", 1)), at(2, deferred)]);
        let step = status.of(&StepKey::of("a"));
        assert_eq!(
            (step.attempts, step.phase),
            (0, Phase::Waiting { until, reason: "429".into(), held: false })
        );
    }

    #[test]
    fn a_refusal_that_turned_out_true_is_a_failure() {
        let doubt = |status| Entry::InDoubt {
            step: StepKey::of("a"),
            attempt: 1,
            reason: "r".into(),
            status,
            interrupted: false,
            existing: None,
        };
        let not = Entry::DidNotHappen { step: StepKey::of("a"), attempt: 1, known_by: KnownBy::Probe };
        let phase = |status| {
            Status::fold(&[at(1, intent("a", 1)), at(2, doubt(status)), at(3, not.clone())])
                .of(&StepKey::of("a"))
                .phase
        };
        assert_eq!(phase(Some(503)), Phase::Open);
        assert!(matches!(phase(Some(422)), Phase::Failed(StepError { status: Some(422), .. })));
    }

    #[test]
    fn a_resumed_run_forgets_what_followed_the_failure() {
        let done = |action: &str| Entry::StepSucceeded {
            step: StepKey::of(action),
            attempt: 1,
            result: json!(1).into(),
            known_by: None,
            truncated: false,
        };
        let finished = Entry::Finished { state: RunState::Failed, reason: None, step: None };
        let resumed = Entry::Resumed { from: StepKey::of("b") };
        let entries = [done("a"), failed("b"), done("alert"), finished, resumed].map(|entry| at(1, entry));
        let status = Status::fold(&entries);
        assert_eq!(status.finished, None);
        assert_eq!(status.steps.keys().map(|k| k.action.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        let step = status.of(&StepKey::of("b"));
        assert_eq!((step.phase, step.attempts, step.forgiven), (Phase::Open, 2, 2));
    }
}
