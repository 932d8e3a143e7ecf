//! The requests of a recorded run and how they ended, read from its history.
//!
//! The history has the inputs of what was written. Those of reads are computed again: the run is decided anew from the
//! entries before each result.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::catalog::{Builtin, Effect, Operation, effect};
use crate::check::CheckedRecipe;
use crate::journal::RunDetail;
use crate::run::{Command, Entry, Machine, RunContext, StampedEntry, StepKey};

/// A request, or what hob did itself in place of one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Exchange {
    /// The step.
    pub(super) step: StepKey,
    /// The operation.
    pub(super) operation: Arc<Operation>,
    /// Its inputs.
    pub(super) inputs: Map<String, Value>,
    /// The effect of doing it twice.
    pub(super) effect: Effect,
    /// How it ended.
    pub(super) end: End,
}

impl Exchange {
    /// An input as the text under which the store has it.
    pub(super) fn text(&self, input: &str) -> Option<String> {
        match self.inputs.get(input)? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }
}

/// What hob itself did by `builtin`, with the results.
pub(super) fn done(exchanges: &[Exchange], builtin: Builtin) -> impl Iterator<Item = (&Exchange, &Value)> {
    exchanges.iter().filter(move |known| known.operation.builtin == Some(builtin)).filter_map(|known| {
        match &known.end {
            End::Result(result) => Some((known, result.as_ref())),
            End::Status(_) => None,
        }
    })
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum End {
    /// With this result of the step.
    Result(Arc<Value>),
    /// Rejected with this status.
    Status(u16),
}

/// The exchanges of a run, in order, and what the history does not tell of them, in words.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Recorded {
    pub(super) exchanges: Vec<Exchange>,
    pub(super) unknown: Vec<String>,
}

impl Recorded {
    /// Those of the run of `detail`, which began with this version of `recipe`.
    pub(super) fn new(recipe: &CheckedRecipe, detail: &RunDetail, context: &RunContext) -> Self {
        let mut recorded = Self::default();
        let mut intents: HashMap<&StepKey, (&str, &Value)> = HashMap::new();
        for (at, stamped) in detail.entries.iter().enumerate() {
            let ended = match &stamped.entry {
                Entry::Intent { step, operation, inputs, .. } => {
                    intents.insert(step, (operation, inputs));
                    continue;
                }
                // Sent again later, or not sent at all.
                Entry::Deferred { step, .. } => {
                    intents.remove(step);
                    continue;
                }
                Entry::InDoubt { step, .. } | Entry::StepFailed { step, lost: true, .. } => {
                    intents.remove(step);
                    recorded.tell(format!("an answer to step `{step}` was lost; here it is not"));
                    continue;
                }
                Entry::StepUnchanged { step, reason, .. } => {
                    recorded.tell(format!("step `{step}` was left out: {reason}"));
                    continue;
                }
                Entry::StepSucceeded { step, truncated: true, .. } => {
                    intents.remove(step);
                    recorded.tell(format!("the result of step `{step}` was too large to keep"));
                    continue;
                }
                Entry::StepSucceeded { step, result, .. } => (step, End::Result(Arc::clone(result))),
                Entry::StepFailed { step, error, .. } => match error.status {
                    Some(status) => (step, End::Status(status)),
                    None => {
                        if intents.remove(step).is_some() {
                            recorded.tell(format!("a request of step `{step}` failed without an answer"));
                        }
                        continue;
                    }
                },
                _ => continue,
            };
            let (step, end) = ended;
            let sent = match intents.remove(step) {
                Some((operation, inputs)) => written(recipe, operation, inputs),
                None => read(recipe, detail, &detail.entries[..at], stamped, step, context),
            };
            if let Some((operation, inputs, effect)) = sent {
                recorded.exchanges.push(Exchange { step: step.clone(), operation, inputs, effect, end });
            }
        }
        recorded
    }

    fn tell(&mut self, what: String) {
        if !self.unknown.contains(&what) {
            self.unknown.push(what);
        }
    }
}

type Sent = (Arc<Operation>, Map<String, Value>, Effect);

/// A write, of which the history has the inputs.
fn written(recipe: &CheckedRecipe, operation: &str, inputs: &Value) -> Option<Sent> {
    let operation = Arc::clone(recipe.operation_by_id(operation)?);
    let inputs = inputs.as_object().cloned().unwrap_or_default();
    let effect = effect(&operation, &inputs);
    Some((operation, inputs, effect))
}

/// A read, as it is decided after `before`; none if hob needs nothing to know the step's result.
fn read(
    recipe: &CheckedRecipe,
    detail: &RunDetail,
    before: &[StampedEntry],
    stamped: &StampedEntry,
    step: &StepKey,
    context: &RunContext,
) -> Option<Sent> {
    let mut machine = Machine::new(recipe.clone(), detail.run.clone(), &detail.event, before, context);
    match machine.decide(stamped.at).command {
        Command::Execute(call) if call.step == *step => Some((call.operation, call.inputs, call.effect)),
        _ => None,
    }
}
