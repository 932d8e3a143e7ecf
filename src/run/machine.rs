//! The pure state machine of a run: recipe, event and entries determine the next command.

mod action;
mod address;
mod begin;
mod begin_again;
mod echo;
mod echo_check;
mod failure;
mod found_links;
mod hydrate;
mod hydration;
mod progress;
mod state;
mod step;
mod template_error;
mod unchanged;
mod unknown;
mod unsettled;

use std::sync::Arc;

use chrono::{DateTime, Utc};

pub use self::state::Machine;
pub use self::unchanged::result_of;

use self::echo_check::{EchoCheck, source};
use self::hydration::Hydration;
use self::progress::Progress;
use super::command::{Command, Decision};
use super::entry::{StampedEntry, StepKey};
use super::status::Status;
use super::template_scope::{self, RunContext};
use super::{Run, RunState};
use crate::check::CheckedRecipe;
use crate::event::Event;

impl Machine {
    /// The machine of `run` after `entries`.
    pub fn new(
        recipe: CheckedRecipe,
        run: Run,
        event: &Event,
        entries: &[StampedEntry],
        run_context: &RunContext,
    ) -> Self {
        let scope = template_scope::scope(&run, event, run_context).with_parts("steps");
        let echo_check = EchoCheck::of(&recipe, event, entries, run_context);
        let source = source(&recipe, &run, event);
        let hydration = Hydration::for_event(&recipe, event);
        let mut machine = Self {
            hydrated_by: hydration.as_ref().map(|hydration| Arc::clone(&hydration.operation)),
            hydration,
            echo_check,
            source,
            recipe,
            run,
            status: Status::fold(entries).resumed(),
            scope,
            skip_waits: run_context.skip_waits,
            ahead: run_context.ahead,
            feedback: Arc::clone(&run_context.feedback),
            seen_before: run_context.seen_before.clone(),
            loop_limit: run_context.loop_limit,
            unreadable: event.unreadable().map(str::to_owned),
            done: 0,
            failure_done: 0,
            members: None,
            entries: Vec::new(),
            are_vars_missing: false,
        };
        machine.restore_record();
        if machine.status.started.is_some() {
            machine.restore_comparison();
        }
        machine.are_vars_missing = machine.restore_vars().is_some();
        machine
    }

    /// The next command. Its entries are applied already.
    pub fn decide(&mut self, now: DateTime<Utc>) -> Decision {
        let command = loop {
            if let Some(command) = self.advance(now) {
                break command;
            }
        };
        Decision { entries: std::mem::take(&mut self.entries), command }
    }

    /// Advances by one decision; `None` if there is more to decide.
    fn advance(&mut self, now: DateTime<Utc>) -> Option<Command> {
        if let Some((state, reason)) = &self.status.finished {
            return Some(Command::Finish { state: *state, reason: reason.clone() });
        }
        if self.are_vars_missing
            && let Some(command) = self.restore_vars()
        {
            return Some(command);
        }
        self.are_vars_missing = false;
        if let Some(error) = self.status.start_failure() {
            let error = error.clone();
            return self.after_failure(&StepKey::start(), &error, now);
        }
        match self.hydrate(now) {
            Some(Progress::Command(command)) => return Some(command),
            Some(Progress::Failed(step, error)) => return self.after_failure(&step, &error, now),
            Some(_) => return None,
            None => {}
        }
        if self.status.started.is_none() {
            return self.begin_unless_echo(now);
        }
        self.main(now)
    }

    /// Runs the recipe's actions in order.
    fn main(&mut self, now: DateTime<Utc>) -> Option<Command> {
        if self.begin_again(now) {
            return None;
        }
        let recipe = self.recipe.clone();
        let Some(action) = recipe.actions().nth(self.done) else {
            self.finish(RunState::Succeeded, None, None, now);
            return None;
        };
        match self.action(action, None, now) {
            Progress::Command(command) => Some(command),
            Progress::More => None,
            Progress::Complete(result) => {
                self.complete(&action, result);
                self.done += 1;
                None
            }
            Progress::Failed(step, error) => self.after_failure(&step, &error, now),
            Progress::Parked(step, reason) => self.after_parking(&step, reason, now),
        }
    }
}

#[cfg(test)]
mod tests;
