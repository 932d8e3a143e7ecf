//! Folds a run's history into the status of each step.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use indexmap::IndexMap;

use super::comparison::Comparison;
use super::entry::{ChainLink, Entry, FoundLink, StampedEntry, StepError, StepKey};
use super::unknown_fields::UnknownFields;
use super::{KnownBy, RunState};
use crate::value::{Map, Value};

/// The status of a run according to its entries.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Status {
    /// Set once `when` was true and the variables were evaluated.
    pub started: Option<Started>,
    /// Steps in the order of their first entries.
    pub steps: IndexMap<StepKey, StepStatus>,
    /// Steps whose results were too large to store.
    pub truncated: BTreeSet<StepKey>,
    /// The final state, with the reason.
    pub finished: Option<(RunState, Option<String>)>,
    /// The step whose failure ended the run, if the history names it.
    pub failed: Option<StepKey>,
    /// Inputs of the steps that were sent, or are about to be, without a known outcome.
    pub unsettled: IndexMap<StepKey, Value>,
    /// How the event's record differs from what was seen of it before, for a recipe that reads it.
    pub compared: Option<Comparison>,
    /// The runs whose writes led to this one.
    pub chain: Vec<ChainLink>,
    /// What hob wrote before that to the event's record was known when the run began.
    pub as_of: Option<DateTime<Utc>>,
    /// When the record of a thin event was fetched.
    pub fetched: Option<DateTime<Utc>>,
}

/// The start of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Started {
    /// When.
    pub at: DateTime<Utc>,
    /// Version of the recipe.
    pub version: String,
    /// The stored variables, without secrets.
    pub vars: Map<String, Value>,
}

/// The status of a step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StepStatus {
    /// Its phase.
    pub phase: Phase,
    /// Attempts made.
    pub attempts: u32,
    /// Attempts that no longer count, because a person retried the run.
    pub forgiven: u32,
    /// When the last attempt was about to be sent.
    pub sent: Option<DateTime<Utc>>,
    /// When the first attempt with a lost answer was about to be sent.
    pub lost: Option<DateTime<Utc>>,
    /// Consecutive deferrals.
    pub deferrals: u32,
    /// The list that it read has more records than the result.
    pub more: bool,
    /// Its result is what was found later, or what a person said: no answer came.
    pub found: bool,
    /// The unknown parts of its result.
    pub unknown: Option<UnknownFields>,
    /// When it was done.
    pub done: Option<DateTime<Utc>>,
    /// Its write was left out, as it would have changed nothing.
    pub unchanged: bool,
    /// Its result, of a create that failed because the API did not keep what was sent: it is not made again.
    pub not_kept: Option<Arc<Value>>,
    /// The links that its templates asked for.
    pub links: Vec<FoundLink>,
    /// How often they were looked up.
    pub link_rounds: u32,
    /// The run has begun again: whether the step runs is decided anew.
    pub reopened: bool,
    /// The known parts of its result, if it is parked because another step reads an unknown one.
    pub known: Option<Arc<Value>>,
}

/// The phase of a step.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Phase {
    /// Not yet started.
    #[default]
    Open,
    /// About to be sent, sent, or answered without a record of the answer.
    Intended,
    /// Succeeded.
    Done(Arc<Value>),
    /// Skipped.
    Skipped,
    /// Failed permanently.
    Failed(StepError),
    /// Waiting for the next attempt.
    Waiting {
        /// Until when.
        until: DateTime<Utc>,
        /// Why.
        reason: String,
        /// Its connection is held: it may continue earlier, when the run is leased again.
        held: bool,
    },
    /// In a `wait`.
    Paused {
        /// Until when.
        until: DateTime<Utc>,
        /// By the wall clock.
        by_wall: bool,
    },
    /// Sent, answer unknown.
    InDoubt {
        /// When the answer was given up on.
        since: DateTime<Utc>,
        /// Not to be probed before.
        until: DateTime<Utc>,
        /// What is known.
        reason: String,
        /// HTTP status, if there was an answer.
        status: Option<u16>,
        /// hob was interrupted.
        interrupted: bool,
        /// The existing record that the API rejected the request for.
        existing: Option<String>,
    },
    /// A person must decide.
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

    /// The status when a run is leased again: steps that waited for a held connection continue.
    #[must_use]
    pub fn resumed(mut self) -> Self {
        for step in self.steps.values_mut() {
            if let Phase::Waiting { until, held: true, .. } = &mut step.phase {
                *until = DateTime::<Utc>::MIN_UTC;
            }
        }
        self
    }

    /// Applies an entry.
    pub fn apply(&mut self, stamped: &StampedEntry) {
        let at = stamped.at;
        self.update_unsettled(&stamped.entry);
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
            Entry::Coalesced { into } => {
                self.finished = Some((RunState::Filtered, Some(Entry::coalesced_reason(into))));
            }
            Entry::Remark { .. } => {}
            Entry::Compared { changed, before } => {
                let (changed, before) = (changed.clone(), Arc::clone(before));
                self.compared = Some(Comparison { changed, before });
            }
            Entry::LinksFound { step, links } => {
                let step = self.step_mut(step);
                step.links.extend_from_slice(links);
                step.link_rounds += 1;
            }
            Entry::NotKept { step, result, .. } => self.step_mut(step).not_kept.clone_from(result),
            Entry::StepUnchanged { step, result, .. } => {
                let unchanged = self.step_mut(step);
                unchanged.done = Some(at);
                unchanged.unchanged = true;
                unchanged.phase = Phase::Done(Arc::clone(result));
            }
            Entry::Caused { by, as_of } => {
                self.chain.clone_from(by);
                self.as_of = *as_of;
            }
            Entry::Resumed { from } => self.resume(from),
            // What was seen before is as it was.
            Entry::Restarted {} => *self = Self { compared: self.compared.take(), ..Self::default() },
            Entry::BegunAgain { steps } => steps.iter().for_each(|step| self.reopen(step)),
            Entry::StepSkipped { step, .. } => self.step_mut(step).phase = Phase::Skipped,
            Entry::MoreRecords { step, .. } => self.step_mut(step).more = true,
            Entry::UnknownFields { step, fields, reason } => {
                let (fields, reason) = (fields.clone(), reason.clone());
                self.step_mut(step).unknown = Some(UnknownFields { fields, reason });
            }
            Entry::StepSucceeded { step, result, truncated, known_by, .. } => {
                let by_person = *known_by == Some(KnownBy::Person);
                // Later steps did not read what a person adds to a known result.
                if by_person && self.step(step).known.is_none() {
                    self.forget_after(step);
                }
                if step.is_hydrate() {
                    self.fetched = Some(at);
                }
                let done = self.step_mut(step);
                done.done = Some(at);
                done.found = matches!(known_by, Some(KnownBy::Probe | KnownBy::Person));
                done.known = None;
                if by_person {
                    done.unknown = None;
                }
                done.phase = Phase::Done(Arc::clone(result));
                match truncated {
                    true => self.truncated.insert(step.clone()),
                    false => self.truncated.remove(step),
                };
            }
            Entry::WaitStarted { step, until, by_wall } => {
                self.step_mut(step).phase = Phase::Paused { until: *until, by_wall: *by_wall };
            }
            Entry::Intent { step, attempt, .. } => {
                let step = self.step_mut(step);
                step.attempts = *attempt;
                step.sent = Some(at);
                step.unknown = None;
                step.not_kept = None;
                step.phase = Phase::Intended;
            }
            Entry::StepFailed { step, attempt, error, retry_at, lost, .. } => {
                let step = self.step_mut(step);
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
            Entry::Deferred { step, until, reason, held, .. } => {
                self.step_mut(step).defer(*until, reason, *held)
            }
            Entry::InDoubt { step, attempt, reason, status, interrupted, existing } => {
                let step = self.step_mut(step);
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
                self.step_mut(step).did_not_happen(*known_by);
            }
            Entry::Parked { step, reason } => {
                let step = self.step_mut(step);
                if let Phase::Done(result) = &step.phase {
                    step.known = Some(Arc::clone(result));
                }
                step.phase = Phase::Parked { reason: reason.clone() };
                self.finished = None;
            }
        }
    }

    /// The status of `step`.
    pub fn step(&self, step: &StepKey) -> StepStatus {
        self.steps.get(step).cloned().unwrap_or_default()
    }

    /// Whether the list read by the action `id` has more records than its result.
    pub fn has_more(&self, id: &str) -> bool {
        self.steps.iter().any(|(key, step)| key.action == id && step.more)
    }

    /// Whether the result of the action `id` is what was found later, and no answer.
    pub fn is_found(&self, id: &str) -> bool {
        self.steps.iter().any(|(key, step)| key.action == id && step.found)
    }

    /// The failure before the first step, if there was one.
    pub fn start_failure(&self) -> Option<&StepError> {
        match self.steps.get(&StepKey::start()).map(|step| &step.phase) {
            Some(Phase::Failed(error)) => Some(error),
            _ => None,
        }
    }

    /// Updates which steps were sent without a known outcome.
    fn update_unsettled(&mut self, entry: &Entry) {
        match entry {
            Entry::Intent { step, inputs, .. } => {
                self.unsettled.insert(step.clone(), inputs.clone());
            }
            // What was sent and not answered may have been done.
            Entry::StepFailed { lost: true, retry_at: Some(_), .. } => {}
            // For a step in doubt, only the probe is deferred.
            Entry::Deferred { step, .. }
                if matches!(self.steps.get(step).map(|step| &step.phase), Some(Phase::InDoubt { .. })) => {}
            Entry::StepSucceeded { step, .. }
            | Entry::StepUnchanged { step, .. }
            | Entry::StepFailed { step, .. }
            | Entry::StepSkipped { step, .. }
            | Entry::DidNotHappen { step, .. }
            | Entry::Deferred { step, .. } => {
                self.unsettled.shift_remove(step);
            }
            _ => {}
        }
    }

    fn step_mut(&mut self, step: &StepKey) -> &mut StepStatus {
        self.steps.entry(step.clone()).or_default()
    }

    /// Forgets the steps after `step`: they depended on its outcome.
    fn forget_after(&mut self, step: &StepKey) {
        if let Some(index) = self.steps.get_index_of(step) {
            self.steps.truncate(index + 1);
            self.unsettled.retain(|step, _| self.steps.contains_key(step));
        }
    }

    /// Forgets what a step came to, as if it had not run. Attempts that failed still count.
    fn reopen(&mut self, step: &StepKey) {
        self.truncated.remove(step);
        self.unsettled.shift_remove(step);
        let step = self.step_mut(step);
        let StepStatus { attempts, lost, .. } = *step;
        let forgiven = if matches!(step.phase, Phase::Done(_)) { attempts } else { step.forgiven };
        *step = StepStatus { attempts, forgiven, lost, reopened: true, ..StepStatus::default() };
    }

    /// Reopens failed steps; forgets steps that ran because of the failure.
    fn resume(&mut self, from: &StepKey) {
        self.finished = None;
        self.failed = None;
        self.forget_after(from);
        for (key, step) in &mut self.steps {
            let parked_before = *key == from.clone() && matches!(step.phase, Phase::Parked { .. });
            if parked_before || matches!(step.phase, Phase::Failed(_)) {
                step.phase = step.not_kept.take().map_or(Phase::Open, Phase::Done);
                step.forgiven = step.attempts;
                step.forget_links();
            }
        }
    }
}

impl StepStatus {
    /// Whether it was not attempted yet, or a person retries it.
    pub fn has_no_attempt(&self) -> bool {
        self.attempts == self.forgiven
    }

    /// A person retries it, who may have saved the link that was missing.
    fn forget_links(&mut self) {
        self.links.clear();
        self.link_rounds = 0;
    }

    fn defer(&mut self, until: DateTime<Utc>, reason: &str, held: bool) {
        self.deferrals += 1;
        match &mut self.phase {
            // The probe was deferred, not the request.
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
            // The request was rejected: repeating it would not help.
            let error = StepError { status: Some(status), ..StepError::new(reason) };
            self.phase = Phase::Failed(error);
        } else if let Phase::InDoubt { interrupted: true, .. } = phase {
            // The server was not involved: as with other effects, the attempt is repeated.
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
        Entry::Intent { step: StepKey::new(action), attempt, operation, inputs }
    }

    fn failed(action: &str) -> Entry {
        Entry::StepFailed {
            step: StepKey::new(action),
            attempt: 2,
            error: StepError::new("no"),
            retry_at: None,
            lost: false,
            read: None,
        }
    }

    #[test]
    fn a_deferral_uses_no_attempt() {
        let until = DateTime::from_timestamp(9, 0).unwrap();
        let deferred =
            Entry::Deferred { step: StepKey::new("a"), until, reason: "429".into(), held: false, kind: None };
        let status = Status::fold(&[at(1, intent("a", 1)), at(2, deferred)]);
        let step = status.step(&StepKey::new("a"));
        assert_eq!(
            (step.attempts, step.phase),
            (0, Phase::Waiting { until, reason: "429".into(), held: false })
        );
    }

    #[test]
    fn a_refusal_that_turned_out_true_is_a_failure() {
        let doubt = |status| Entry::InDoubt {
            step: StepKey::new("a"),
            attempt: 1,
            reason: "r".into(),
            status,
            interrupted: false,
            existing: None,
        };
        let not = Entry::DidNotHappen { step: StepKey::new("a"), attempt: 1, known_by: KnownBy::Probe };
        let phase = |status| {
            Status::fold(&[at(1, intent("a", 1)), at(2, doubt(status)), at(3, not.clone())])
                .step(&StepKey::new("a"))
                .phase
        };
        assert_eq!(phase(Some(503)), Phase::Open);
        assert!(matches!(phase(Some(422)), Phase::Failed(StepError { status: Some(422), .. })));
    }

    #[test]
    fn a_resumed_run_forgets_what_followed_the_failure() {
        let done = |action: &str| Entry::StepSucceeded {
            step: StepKey::new(action),
            attempt: 1,
            result: json!(1).into(),
            known_by: None,
            truncated: false,
        };
        let finished = Entry::Finished { state: RunState::Failed, reason: None, step: None };
        let resumed = Entry::Resumed { from: StepKey::new("b") };
        let entries = [done("a"), failed("b"), done("alert"), finished, resumed].map(|entry| at(1, entry));
        let status = Status::fold(&entries);
        assert_eq!(status.finished, None);
        assert_eq!(status.steps.keys().map(|k| k.action.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        let step = status.step(&StepKey::new("b"));
        assert_eq!((step.phase, step.attempts, step.forgiven), (Phase::Open, 2, 2));
    }
}
