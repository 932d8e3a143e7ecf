//! Compares what a run did with what it would do: its requests that have an effect, and how it ends.

use std::collections::HashSet;

use super::replayer::{Decided, End};
use super::request::Request;
use super::step_map::StepMap;
use crate::run::{RunState, StepKey};
use crate::value::{Difference, Value, changes};

/// What would be different.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// In which way.
    pub what: What,
    /// The step: as it is called now, or, of what would not be done any more, as it was called then. None for the start.
    pub step: Option<String>,
    /// The operation, of a request.
    pub operation: Option<String>,
    /// The record that the request is about, if it says.
    pub record: Option<String>,
    /// The inputs that differ; of a request on one side only, all of them.
    pub fields: Vec<Difference>,
}

/// In which way something would be different.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum What {
    /// The run would end otherwise.
    Ends {
        /// How it ended.
        before: RunState,
        /// How it would end.
        after: RunState,
    },
    /// A request would be sent with other inputs.
    Changed,
    /// A request would be sent that was not.
    Added,
    /// A request that was sent would not be.
    Removed,
    /// Requests would be sent in another order.
    Moved,
}

/// What differs between what a run did and what it would do.
pub(super) fn compare(then: &Decided, now: &Decided, steps: &StepMap) -> Vec<Change> {
    let pairs = Pairs::of(then, now, steps);
    let mut all = Vec::new();
    if let (End::In(before, ..), End::In(after, reason, step)) = (&then.end, &now.end) {
        let failed = |end: &End| match end {
            End::In(RunState::Failed, _, Some(step)) => steps.after(&step.action).map(str::to_owned),
            _ => None,
        };
        let elsewhere = *after == RunState::Failed
            && failed(&then.end).is_some_and(|then| step.as_ref().is_some_and(|now| now.action != then));
        if before != after || elsewhere {
            all.push(ending(*before, *after, reason.as_deref(), step.as_ref()));
        }
    }
    for (at, request) in now.requests.iter().enumerate().filter(|(_, request)| request.is_sent_write()) {
        match pairs.of_now[at] {
            None => all.push(one_sided(What::Added, request)),
            Some(other) => {
                let then = &then.requests[other];
                let fields =
                    changes(&Value::Object(then.inputs.clone()), &Value::Object(request.inputs.clone()));
                if !fields.is_empty() || then.connection != request.connection {
                    all.push(Change { fields, ..change(What::Changed, request, Some(then)) });
                }
            }
        }
    }
    let is_gone = |at: &usize| {
        let request = &then.requests[*at];
        let is_unknown =
            steps.after(&request.step.action).is_some_and(|now_id| now.unknown.iter().any(|id| id == now_id));
        request.is_sent_write() && !pairs.then.contains(at) && !is_unknown
    };
    // What comes after something that is not known is not known either.
    if !matches!(now.end, End::Unknown(_)) {
        let gone = (0..then.requests.len()).filter(is_gone);
        all.extend(gone.map(|at| one_sided(What::Removed, &then.requests[at])));
    }
    all.extend(pairs.moved().map(|at| change(What::Moved, &now.requests[at], None)));
    all
}

fn ending(before: RunState, after: RunState, reason: Option<&str>, step: Option<&StepKey>) -> Change {
    let told = reason.map(|reason| Difference {
        path: "reason".to_owned(),
        expected: None,
        found: Some(Value::from(reason)),
    });
    let step = step.filter(|step| !step.action.starts_with('(')).map(|step| step.action.clone());
    let fields = told.into_iter().collect();
    Change { what: What::Ends { before, after }, step, operation: None, record: None, fields }
}

fn change(what: What, request: &Request, other: Option<&Request>) -> Change {
    let record = request.record().or_else(|| other.and_then(Request::record));
    let (step, operation) = (Some(request.step.action.clone()), Some(request.operation.id.clone()));
    Change { what, step, operation, record, fields: Vec::new() }
}

/// A request on one side only, with all of its inputs.
fn one_sided(what: What, request: &Request) -> Change {
    let is_new = what == What::Added;
    let fields = request.inputs.iter().map(|(name, value)| Difference {
        path: name.clone(),
        expected: (!is_new).then(|| value.clone()),
        found: is_new.then(|| value.clone()),
    });
    Change { fields: fields.collect(), ..change(what, request, None) }
}

/// The requests of both sides that stand for each other, by their places.
struct Pairs {
    /// Now → then.
    of_now: Vec<Option<usize>>,
    /// Those of then that have one.
    then: HashSet<usize>,
}

impl Pairs {
    fn of(then: &Decided, now: &Decided, steps: &StepMap) -> Self {
        let mut pairs = Self { of_now: vec![None; now.requests.len()], then: HashSet::new() };
        let step = |request: &Request| steps.before(&request.step);
        let is_of_step = |old: &Request, new: &Request| step(new).as_ref() == Some(&old.step);
        let is_of_action =
            |old: &Request, new: &Request| step(new).is_some_and(|step| step.action == old.step.action);
        pairs.find(then, now, |old, new| is_of_step(old, new) && old.is_same(new));
        pairs.find(then, now, |old, new| is_of_action(old, new) && old.is_same(new));
        pairs.find(then, now, Request::is_same);
        let is_other = |old: &Request, new: &Request| {
            is_of_action(old, new)
                && old.operation.id == new.operation.id
                && !new.named().is_empty()
                && old.named() == new.named()
        };
        pairs.find(then, now, |old, new| is_of_step(old, new) && is_other(old, new));
        pairs.find(then, now, is_other);
        pairs.find(then, now, |old, new| is_of_step(old, new) && old.operation.id == new.operation.id);
        pairs.find(then, now, |old, new| is_of_action(old, new) && old.operation.id == new.operation.id);
        pairs
    }

    fn find(&mut self, then: &Decided, now: &Decided, fits: impl Fn(&Request, &Request) -> bool) {
        for (at, new) in now.requests.iter().enumerate() {
            if self.of_now[at].is_some() || !new.is_sent_write() {
                continue;
            }
            let free = then.requests.iter().enumerate().filter(|(place, _)| !self.then.contains(place));
            let found = free.filter(|(_, old)| old.is_sent_write()).find(|(_, old)| fits(old, new));
            if let Some((place, _)) = found {
                self.then.insert(place);
                self.of_now[at] = Some(place);
            }
        }
    }

    /// Requests that would be sent before one that was sent before them.
    fn moved(&self) -> impl Iterator<Item = usize> {
        let mut last = None;
        let places = self.of_now.iter().enumerate().filter_map(|(at, place)| Some((at, (*place)?)));
        places.filter_map(move |(at, place)| {
            let is_behind = last.is_some_and(|last| place < last);
            last = last.max(Some(place));
            is_behind.then_some(at)
        })
    }
}
