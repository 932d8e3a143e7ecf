//! After a failure or a parked step: the `on_failure` actions, then the end.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::Machine;
use super::progress::Progress;
use crate::run::RunState;
use crate::run::command::Command;
use crate::run::entry::{StepError, StepKey};

impl Machine {
    /// Runs `on_failure`; then the run has failed.
    pub(super) fn after_failure(
        &mut self,
        step: &StepKey,
        error: &StepError,
        now: DateTime<Utc>,
    ) -> Option<Command> {
        if !self.is_on_failure_done() {
            return self.run_on_failure(step, error, false, now);
        }
        let reason = match step.is_start() {
            true => error.message.clone(),
            false => format!("step `{step}`: {}", error.message),
        };
        self.finish(RunState::Failed, Some(reason), Some(step.clone()), now);
        None
    }

    /// Runs `on_failure`; then the run is parked. Like a failure, a parked run needs someone's attention.
    pub(super) fn after_parking(
        &mut self,
        step: &StepKey,
        reason: String,
        now: DateTime<Utc>,
    ) -> Option<Command> {
        if !self.is_on_failure_done() {
            return self.run_on_failure(step, &StepError::new(reason), true, now);
        }
        Some(Command::Park { reason })
    }

    /// Whether all of `on_failure` is done.
    fn is_on_failure_done(&self) -> bool {
        self.failure_done >= self.recipe.recipe().on_failure.len()
    }

    /// Runs the next action of `on_failure`, with `error` in scope. Its failure is recorded, and the next one runs
    /// regardless.
    fn run_on_failure(
        &mut self,
        step: &StepKey,
        error: &StepError,
        parked: bool,
        now: DateTime<Utc>,
    ) -> Option<Command> {
        let recipe = self.recipe.clone();
        let action = recipe.on_failure().nth(self.failure_done)?;
        let in_scope = json!({
            "message": error.message,
            "status": error.status,
            "help": error.help,
            "step": step.action,
            "item": step.item,
            "parked": parked,
        });
        match self.action(action, Some(in_scope), now) {
            Progress::Command(command) => return Some(command),
            Progress::More => {}
            Progress::Complete(result) => {
                self.complete(&action, result);
                self.failure_done += 1;
            }
            Progress::Failed(..) | Progress::Parked(..) => {
                self.complete(&action, Arc::default());
                self.failure_done += 1;
            }
        }
        None
    }
}
