//! The pure machine of a run: from its recipe, its event and its entries to what is to be done next.

mod action;
mod address;
mod begin;
mod failure;
mod hydrate;
mod step;
mod unknown;
mod unsettled;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::entry::{Entry, StampedEntry, StepKey};
use super::status::Status;
use super::template_scope::{self, RunContext};
use super::{Run, RunState};
use crate::catalog::{Effect, Operation};
use crate::check::CheckedRecipe;
use crate::event::Event;
use crate::recipe::Retry;
use crate::template::Scope;
use crate::value::address::Reach;
use crate::value::{Map, Value};

/// A run in progress.
#[derive(Debug, Clone)]
pub struct Machine {
    recipe: CheckedRecipe,
    run: Run,
    status: Status,
    scope: Scope,
    skip_waits: bool,
    /// How far its times are ahead of the wall clock.
    ahead: TimeDelta,
    /// The event is a record that cannot be read, for this reason.
    unreadable: Option<String>,
    /// The read that completes a thin event, until it is done.
    hydration: Option<hydrate::Hydration>,
    /// Actions, and after a failure `on_failure` actions, that are complete.
    done: usize,
    failure_done: usize,
    /// The `for_each` in progress.
    members: Option<Members>,
    /// Entries of the decision in the making.
    entries: Vec<StampedEntry>,
}

/// A `for_each` in progress.
#[derive(Debug, Clone)]
struct Members {
    action: String,
    list: Arc<Value>,
    /// So many are complete.
    done: usize,
}

/// What is to be done, and what is to be recorded before it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Entries to append first. An `Intent` among them must be durable before its request is sent.
    pub entries: Vec<StampedEntry>,
    /// What to do then.
    pub command: Command,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Execute a step.
    Execute(Box<StepCall>),
    /// Find out whether a step happened.
    Probe(Box<Probe>),
    /// Nothing before this time.
    Sleep {
        /// Until when.
        until: DateTime<Utc>,
        /// Why.
        reason: String,
    },
    /// Nothing until a person decides.
    Park {
        /// Why.
        reason: String,
    },
    /// Nothing any more.
    Finish {
        /// Final state.
        state: RunState,
        /// Why.
        reason: Option<String>,
    },
}

/// A step to execute.
#[derive(Debug, Clone, PartialEq)]
pub struct StepCall {
    /// The step.
    pub step: StepKey,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// Another attempt may follow if this one fails.
    pub may_try_again: bool,
    /// The operation.
    pub operation: Arc<Operation>,
    /// Its inputs, as the recipe gives them.
    pub inputs: Map<String, Value>,
    /// Where an address among the inputs may lead.
    pub reach: Reach,
    /// Files that this run has downloaded.
    pub downloaded: Vec<String>,
    /// What sending it twice would do.
    pub effect: Effect,
    /// The connection; none for built-in operations.
    pub connection: Option<String>,
    /// Longest time of the attempt, where the recipe says so.
    pub timeout: Option<Duration>,
    /// JSONPath of the result, where the recipe says so.
    pub pick: Option<String>,
    /// The whole list is wanted, page after page.
    pub all_pages: bool,
    /// How to try again.
    pub retry: Retry,
    /// It was deferred before, and not sent since: the history says so already.
    pub deferred: bool,
    /// When the first attempt was about to be sent that may have been carried out, as its answer was lost.
    pub first_lost: Option<DateTime<Utc>>,
}

/// A step in doubt to look into.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// The step.
    pub step: StepKey,
    /// Number of the attempt in doubt.
    pub attempt: u32,
    /// The operation in doubt, which has a probe.
    pub operation: Arc<Operation>,
    /// Its inputs, as the recipe gave them.
    pub inputs: Map<String, Value>,
    /// When it was sent: the first of the attempts whose answers were lost.
    pub sent: DateTime<Utc>,
    /// When the last of those answers was missed, or the request sent where hob stopped before.
    pub missed: DateTime<Utc>,
    /// The time, as hob counts, from which on a list must show what was made.
    pub shown: DateTime<Utc>,
    /// The record for which it was refused, which may be what an earlier attempt made.
    pub existing: Option<String>,
    /// The connection.
    pub connection: Option<String>,
    /// JSONPath of the result, where the recipe says so.
    pub pick: Option<String>,
    /// Deferrals in a row.
    pub deferrals: u32,
}

impl Machine {
    /// The machine of `run`, after `entries`.
    pub fn new(
        recipe: CheckedRecipe,
        run: Run,
        event: &Event,
        entries: &[StampedEntry],
        run_context: &RunContext,
    ) -> Self {
        let scope = template_scope::scope(&run, event, run_context).with_parts("steps");
        let mut machine = Self {
            hydration: hydrate::Hydration::of(&recipe, event),
            recipe,
            run,
            status: Status::fold(entries).resumed(),
            scope,
            skip_waits: run_context.skip_waits,
            ahead: run_context.ahead,
            unreadable: event.unreadable().map(str::to_owned),
            done: 0,
            failure_done: 0,
            members: None,
            entries: Vec::new(),
        };
        machine.restore_record();
        machine.restore_vars();
        machine
    }

    /// The run.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// Takes into account what was recorded after a decision.
    pub fn apply(&mut self, entry: &StampedEntry) {
        self.status.apply(entry);
    }

    /// What is to be done next. Its entries are taken into account already.
    pub fn decide(&mut self, now: DateTime<Utc>) -> Decision {
        let command = loop {
            if let Some(command) = self.advance(now) {
                break command;
            }
        };
        Decision { entries: std::mem::take(&mut self.entries), command }
    }

    /// One thing further; `None` when there is more to decide.
    fn advance(&mut self, now: DateTime<Utc>) -> Option<Command> {
        if let Some((state, reason)) = &self.status.finished {
            return Some(Command::Finish { state: *state, reason: reason.clone() });
        }
        if let Some(error) = self.status.start_failure() {
            let error = error.clone();
            return self.after_failure(&StepKey::of(super::START), &error, now);
        }
        match self.hydrate(now) {
            Some(action::Progress::Command(command)) => return Some(command),
            Some(action::Progress::Failed(step, error)) => return self.after_failure(&step, &error, now),
            Some(_) => return None,
            None => {}
        }
        if self.status.started.is_none() {
            self.begin(now);
            return None;
        }
        self.main(now)
    }

    /// The recipe's actions, one after the other.
    fn main(&mut self, now: DateTime<Utc>) -> Option<Command> {
        let recipe = self.recipe.clone();
        let Some(action) = recipe.recipe().actions.get(self.done) else {
            self.finish(RunState::Succeeded, None, None, now);
            return None;
        };
        match self.action(action, None, now) {
            action::Progress::Command(command) => Some(command),
            action::Progress::More => None,
            action::Progress::Complete(result) => {
                self.complete(action, result);
                self.done += 1;
                None
            }
            action::Progress::Failed(step, error) => self.after_failure(&step, &error, now),
            action::Progress::Parked(step, reason) => self.after_parking(&step, reason, now),
        }
    }

    fn complete(&mut self, action: &crate::recipe::Action, result: Arc<Value>) {
        if self.status.has_more(&action.id) {
            self.mark_incomplete(&action.id);
        }
        self.scope.set_part("steps", action.id.clone(), result);
        self.members = None;
    }

    /// `run.more` names the step from now on.
    fn mark_incomplete(&mut self, id: &str) {
        let Some(mut run) = self.scope.get("run").map(Cow::into_owned) else { return };
        if let Some(Value::Array(names)) = run.get_mut(template_scope::MORE) {
            names.push(id.into());
        }
        self.scope.set("run", run);
    }

    /// `failed`: the step that made the run fail.
    fn finish(
        &mut self,
        state: RunState,
        reason: Option<String>,
        failed: Option<StepKey>,
        now: DateTime<Utc>,
    ) {
        self.record(Entry::Finished { state, reason, step: failed }, now);
    }

    /// What the wall clock shows at a time of ours.
    fn wall(&self, time: DateTime<Utc>) -> DateTime<Utc> {
        time.checked_sub_signed(self.ahead).unwrap_or(time)
    }

    fn record(&mut self, entry: Entry, now: DateTime<Utc>) {
        let stamped = StampedEntry::new(now, entry);
        self.status.apply(&stamped);
        self.entries.push(stamped);
    }
}

#[cfg(test)]
mod tests;
