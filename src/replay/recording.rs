//! What the history of a run tells of its steps: what each came to in the end, and when.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use indexmap::IndexMap;

use crate::journal::RunDetail;
use crate::run::{Entry, FoundLink, KnownBy, StampedEntry, StepError, StepKey};
use crate::template::LinkQuery;
use crate::value::Value;

/// The recorded steps of a run. Of a run that began anew, those of the last time count.
#[derive(Debug, Default)]
pub(super) struct Recording<'a> {
    /// By their first entries.
    pub(super) steps: IndexMap<StepKey, RecordedStep<'a>>,
    /// The links that templates asked for.
    links: Vec<&'a FoundLink>,
    /// How the event's record differed from what was seen before.
    pub(super) compared: Option<&'a StampedEntry>,
    /// When the first decision was made.
    pub(super) began: DateTime<Utc>,
}

/// What is recorded of a step.
#[derive(Debug, Default)]
pub(super) struct RecordedStep<'a> {
    /// The intent of its last attempt, of a step with an effect.
    pub(super) sent: Option<Sent<'a>>,
    /// What is told of its result beside it.
    pub(super) facts: Vec<&'a StampedEntry>,
    /// What it came to; none if that is not known.
    pub(super) outcome: Option<&'a StampedEntry>,
    /// When the decision after it was made.
    pub(super) next: DateTime<Utc>,
    /// The errors of the attempts before.
    pub(super) failures: Vec<&'a StepError>,
    /// It is done, and waits for a person to add what is not known of its result.
    is_known: bool,
}

/// A request as it was about to be sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent<'a> {
    pub(super) at: DateTime<Utc>,
    pub(super) operation: &'a str,
    pub(super) inputs: &'a Value,
}

impl RecordedStep<'_> {
    /// When it was decided, as far as it is known: of a read, only when its answer was there.
    pub(super) fn decided(&self) -> Option<DateTime<Utc>> {
        self.sent.map(|sent| sent.at).or_else(|| self.outcome.map(|outcome| outcome.at))
    }

    fn forget_attempt(&mut self) {
        self.sent = None;
        self.facts.clear();
        self.outcome = None;
    }
}

impl<'a> Recording<'a> {
    /// What the history of `detail` tells.
    pub(super) fn of(detail: &'a RunDetail) -> Self {
        let entries = &detail.entries;
        let began = entries.first().map_or(detail.run.created, |first| first.at);
        let mut recording = Self { began, ..Self::default() };
        for (at, stamped) in entries.iter().enumerate() {
            let next = entries.get(at + 1).map_or(stamped.at, |next| next.at);
            recording.add(stamped, next);
        }
        recording
    }

    /// What was found of `query`; none if it was not asked.
    pub(super) fn link(&self, query: &LinkQuery) -> Option<FoundLink> {
        self.links.iter().rev().find(|link| link.query == *query).map(|link| (*link).clone())
    }

    fn add(&mut self, stamped: &'a StampedEntry, next: DateTime<Utc>) {
        match &stamped.entry {
            Entry::Intent { step, operation, inputs, .. } => {
                let step = self.step(step);
                step.forget_attempt();
                step.sent = Some(Sent { at: stamped.at, operation, inputs });
            }
            Entry::MoreRecords { step, .. }
            | Entry::UnknownFields { step, .. }
            | Entry::NotKept { step, .. } => self.step(step).facts.push(stamped),
            Entry::StepFailed { step, error, retry_at: Some(_), .. } => {
                let step = self.step(step);
                step.forget_attempt();
                step.failures.push(error);
            }
            Entry::StepSucceeded { step, .. }
            | Entry::StepFailed { step, .. }
            | Entry::StepUnchanged { step, .. }
            | Entry::StepSkipped { step, .. } => {
                let by_person = matches!(&stamped.entry, Entry::StepSucceeded { known_by, .. } if *known_by == Some(KnownBy::Person));
                if by_person && !self.step(step).is_known {
                    self.forget_after(step);
                }
                let step = self.step(step);
                step.outcome = Some(stamped);
                step.next = next;
            }
            Entry::WaitStarted { step, .. } => self.step(step).next = next,
            Entry::DidNotHappen { step, known_by, .. } => {
                if *known_by == KnownBy::Person {
                    self.forget_after(step);
                }
                self.step(step).outcome = None;
            }
            Entry::InDoubt { step, .. } => self.step(step).outcome = None,
            Entry::Parked { step, .. } => {
                let parked = self.step(step);
                parked.is_known = parked
                    .outcome
                    .is_some_and(|outcome| matches!(outcome.entry, Entry::StepSucceeded { .. }));
                if !parked.is_known {
                    parked.outcome = None;
                }
            }
            Entry::LinksFound { links, .. } => self.links.extend(links),
            Entry::Compared { .. } => self.compared = Some(stamped),
            Entry::Resumed { from } => self.resume(from),
            Entry::Restarted {} => {
                let compared = self.compared;
                *self = Self { compared, began: next, ..Self::default() };
            }
            Entry::BegunAgain { steps } => self.steps.retain(|key, _| !steps.contains(key)),
            Entry::Started { .. }
            | Entry::Deferred { .. }
            | Entry::Caused { .. }
            | Entry::Remark { .. }
            | Entry::Coalesced { .. }
            | Entry::Finished { .. } => {}
        }
    }

    /// What followed the step from which a person retried the run is forgotten, and what failed is open again.
    fn resume(&mut self, from: &StepKey) {
        self.forget_after(from);
        for step in self.steps.values_mut() {
            let failed = step.outcome.is_none_or(|outcome| matches!(outcome.entry, Entry::StepFailed { .. }));
            if failed {
                step.forget_attempt();
                step.failures.clear();
            }
        }
    }

    /// Forgets the steps after `step`, which depended on what was known of it.
    fn forget_after(&mut self, step: &StepKey) {
        if let Some(place) = self.steps.get_index_of(step) {
            self.steps.truncate(place + 1);
        }
    }

    fn step(&mut self, key: &StepKey) -> &mut RecordedStep<'a> {
        self.steps.entry(key.clone()).or_default()
    }
}

/// The result in an outcome, if it was kept whole.
pub(super) fn result(outcome: &Entry) -> Option<&Arc<Value>> {
    match outcome {
        Entry::StepSucceeded { result, truncated: false, .. } | Entry::StepUnchanged { result, .. } => {
            Some(result)
        }
        _ => None,
    }
}
