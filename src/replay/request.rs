//! A request of a run, or what hob did itself in place of one, and its answer.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::recording::{RecordedStep, result};
use crate::catalog::{Builtin, Effect, Operation, Place};
use crate::check::Resource;
use crate::recipe::{KeptPolicy, OnMissing, Retry};
use crate::run::{Entry, StepCall, StepError, StepKey, item_id};
use crate::value::{Map, Value, id};

/// A request.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) step: StepKey,
    pub(super) operation: Arc<Operation>,
    pub(super) connection: Option<String>,
    pub(super) inputs: Map<String, Value>,
    pub(super) effect: Effect,
    pub(super) reading: Reading,
    pub(super) attempts: u32,
    /// None if it is not known.
    pub(super) answer: Option<Answered>,
}

/// How an answer is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) pick: Option<String>,
    pub(super) all_pages: bool,
    pub(super) on_missing: OnMissing,
    pub(super) kept: KeptPolicy,
}

/// A recorded answer.
#[derive(Debug, Clone)]
pub(super) struct Answered {
    /// What is told of the result beside it.
    pub(super) facts: Vec<Entry>,
    /// What the step came to.
    pub(super) outcome: Entry,
    pub(super) at: DateTime<Utc>,
    /// When the decision after it was made.
    pub(super) next: DateTime<Utc>,
    /// The errors of the attempts before.
    pub(super) failures: Vec<StepError>,
}

impl Answered {
    /// The answer to a recorded step, if it is known.
    pub(super) fn of(step: &RecordedStep<'_>) -> Option<Self> {
        let outcome = step.outcome?;
        Some(Self {
            facts: step.facts.iter().map(|fact| fact.entry.clone()).collect(),
            outcome: outcome.entry.clone(),
            at: outcome.at,
            next: step.next,
            failures: step.failures.iter().map(|error| (*error).clone()).collect(),
        })
    }

    /// Whether the list that was read has more records than the result.
    pub(super) fn has_more(&self) -> bool {
        self.facts.iter().any(|fact| matches!(fact, Entry::MoreRecords { .. }))
    }
}

impl Request {
    /// The request of `call`, with this answer.
    pub(super) fn of(call: &StepCall, answer: Option<Answered>) -> Self {
        Self {
            step: call.step.clone(),
            operation: Arc::clone(&call.operation),
            connection: call.connection.clone(),
            inputs: call.inputs.clone(),
            effect: call.effect,
            reading: Reading {
                pick: call.pick.clone(),
                all_pages: call.all_pages,
                on_missing: call.on_missing,
                kept: call.kept,
            },
            attempts: call.retry.attempts,
            answer,
        }
    }

    /// A write as the history has it.
    pub(super) fn recorded(
        step: &StepKey,
        operation: &Arc<Operation>,
        connection: Option<String>,
        inputs: Map<String, Value>,
        answer: Option<Answered>,
    ) -> Self {
        let (on_missing, kept) = (OnMissing::default(), KeptPolicy::default());
        Self {
            step: step.clone(),
            operation: Arc::clone(operation),
            connection,
            // Only what has an effect is told before it is sent.
            effect: match operation.effect_with(&inputs) {
                Effect::Read => Effect::Create,
                other => other,
            },
            inputs,
            reading: Reading { pick: None, all_pages: false, on_missing, kept },
            attempts: Retry::default().attempts,
            answer,
        }
    }

    /// Whether it has an effect and was not left out.
    pub(super) fn is_sent_write(&self) -> bool {
        let left_out = |answer: &Answered| matches!(answer.outcome, Entry::StepUnchanged { .. });
        self.effect != Effect::Read && !self.answer.as_ref().is_some_and(left_out)
    }

    /// Whether both ask the same of the same account.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.is_alike(other) && self.inputs == other.inputs
    }

    /// Whether both are of one operation and account, and have or have no effect.
    pub(super) fn is_alike(&self, other: &Self) -> bool {
        self.operation.id == other.operation.id
            && self.connection == other.connection
            && (self.effect == Effect::Read) == (other.effect == Effect::Read)
    }

    /// The records that it names, by their ids in its path; of what hob keeps itself, by their keys.
    pub(super) fn named(&self) -> Vec<String> {
        let operation = &self.operation;
        let of_input = |name: &str| self.inputs.get(name).and_then(id);
        if operation.builtin.is_some() {
            return ["key", "name"].into_iter().filter_map(of_input).collect();
        }
        let in_path = operation.parameters.iter().filter(|(_, parameter)| parameter.place == Place::Path);
        let mut named: Vec<(Option<usize>, String)> = in_path
            .filter_map(|(name, parameter)| {
                let place = operation.path.find(&format!("{{{}}}", parameter.on_wire(name)));
                Some((place, of_input(name)?))
            })
            .collect();
        named.sort();
        named.into_iter().map(|(_, id)| id).collect()
    }

    /// The record that it is about: the one in its path, or the one that its answer shows.
    pub(super) fn record(&self) -> Option<String> {
        if self.operation.builtin.is_some() {
            return None;
        }
        let shown = || item_id(result(&self.answer.as_ref()?.outcome)?);
        self.named().into_iter().next().or_else(shown)
    }

    /// Whether this write may change what `read` shows.
    pub(super) fn may_change(&self, read: &Self) -> bool {
        let web = |request: &Self| request.operation.builtin == Some(Builtin::HttpRequest);
        if web(self) || web(read) {
            return web(self) && web(read);
        }
        let (mine, theirs) = (self.named(), read.named());
        Resource::of_operation(&self.operation).meets(&Resource::of_operation(&read.operation))
            && self.connection == read.connection
            && (mine.is_empty() || theirs.is_empty() || mine.iter().any(|id| theirs.contains(id)))
    }
}
