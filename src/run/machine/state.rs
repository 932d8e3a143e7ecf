//! The state of the machine, and its changes.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::echo_check::EchoCheck;
use super::hydration::Hydration;
use crate::catalog::Operation;
use crate::check::{CheckedRecipe, Feedback};
use crate::recipe::Action;
use crate::run::SeenBefore;
use crate::run::entry::{Entry, StampedEntry, StepKey};
use crate::run::loop_limit::LoopLimit;
use crate::run::status::Status;
use crate::run::template_scope;
use crate::run::{Origin, Run, RunState, SourceRecord};
use crate::template::Scope;
use crate::value::Value;

/// A run in progress.
#[derive(Debug, Clone)]
pub struct Machine {
    pub(super) recipe: CheckedRecipe,
    pub(super) run: Run,
    pub(super) status: Status,
    pub(super) scope: Scope,
    pub(super) skip_waits: bool,
    /// How far the run's clock is ahead of the wall clock.
    pub(super) ahead: TimeDelta,
    /// What recipes write that other recipes read.
    pub(super) feedback: Arc<Feedback>,
    /// Whether it is to be found out that the event is an echo.
    pub(super) echo_check: EchoCheck,
    /// The record that the event is about.
    pub(super) source: Option<SourceRecord>,
    /// What was seen of the event's record before, for a recipe that reads it.
    pub(super) seen_before: Option<Arc<SeenBefore>>,
    pub(super) loop_limit: LoopLimit,
    /// Why the record of the event cannot be read, if so.
    pub(super) unreadable: Option<String>,
    /// The pending read that hydrates a thin event.
    pub(super) hydration: Option<Hydration>,
    /// What it reads by, done or not.
    pub(super) hydrated_by: Option<Arc<Operation>>,
    /// The number of completed actions, including `on_failure` actions after a failure.
    pub(super) done: usize,
    pub(super) failure_done: usize,
    /// The `for_each` in progress.
    pub(super) members: Option<Members>,
    /// The variables of another version of the recipe need links.
    pub(super) are_vars_missing: bool,
    /// Entries of the current decision.
    pub(super) entries: Vec<StampedEntry>,
}

/// A `for_each` in progress.
#[derive(Debug, Clone)]
pub(super) struct Members {
    pub(super) action: String,
    pub(super) list: Arc<Value>,
    /// The number of completed items.
    pub(super) done: usize,
}

impl Machine {
    /// The run.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// The origin of the step's writes.
    pub fn origin(&self, step: &StepKey, now: DateTime<Utc>) -> Origin {
        let status = self.status.step(step);
        Origin {
            run: self.run.id.clone(),
            recipe: self.run.recipe.clone(),
            step: step.to_string(),
            // An attempt whose answer was lost may have been carried out.
            sent: self.wall(status.lost.or(status.sent).unwrap_or(now)),
            answer: Value::Null,
            beside: Vec::new(),
            chain: self.status.chain.clone(),
            source: self
                .source
                .clone()
                .map(|source| SourceRecord { as_of: self.status.as_of.unwrap_or(source.as_of), ..source }),
        }
    }

    /// Applies an entry recorded after a decision.
    pub fn apply(&mut self, entry: &StampedEntry) {
        self.status.apply(entry);
    }

    pub(super) fn complete(&mut self, action: &Action, result: Arc<Value>) {
        for (list, is_in) in [
            (template_scope::MORE, self.status.has_more(&action.id)),
            (template_scope::FOUND, self.status.is_found(&action.id)),
        ] {
            if is_in {
                self.mark(list, &action.id);
            }
        }
        self.scope.set_part("steps", action.id.clone(), result);
        self.members = None;
    }

    /// Adds the step to a list in `run`, unless it is there since before the run began again.
    fn mark(&mut self, list: &str, id: &str) {
        let Some(mut run) = self.scope.get("run").map(Cow::into_owned) else { return };
        if let Some(Value::Array(names)) = run.get_mut(list)
            && !names.iter().any(|name| name == id)
        {
            names.push(id.into());
        }
        self.scope.set("run", run);
    }

    /// Ends the run; `failed` is the step that made it fail.
    pub(super) fn finish(
        &mut self,
        state: RunState,
        reason: Option<String>,
        failed: Option<StepKey>,
        now: DateTime<Utc>,
    ) {
        self.record(Entry::Finished { state, reason, step: failed }, now);
    }

    /// The wall-clock time at a time of the run's clock.
    pub(super) fn wall(&self, time: DateTime<Utc>) -> DateTime<Utc> {
        time.checked_sub_signed(self.ahead).unwrap_or(time)
    }

    pub(super) fn record(&mut self, entry: Entry, now: DateTime<Utc>) {
        let stamped = StampedEntry::new(now, entry);
        self.status.apply(&stamped);
        self.entries.push(stamped);
    }
}
