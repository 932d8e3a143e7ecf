//! After a failure: the `on_failure` actions, then the end.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::action::Progress;
use super::{Act, Machine};
use crate::diagnostic::{Code, Diagnostic, render};
use crate::run::entry::{StepError, StepKey};
use crate::run::{RunState, START};
use crate::source::SourceFile;
use crate::template::LocatedError;

impl Machine {
    /// Goes through `on_failure`, with `error` in scope. What fails there is in the history, and the
    /// next one is done all the same.
    pub(super) fn after_failure(
        &mut self,
        step: &StepKey,
        error: &StepError,
        now: DateTime<Utc>,
    ) -> Option<Act> {
        let recipe = self.recipe.clone();
        let Some(action) = recipe.recipe().on_failure.get(self.failure_done) else {
            let reason = match step.action.as_str() {
                START => error.message.clone(),
                _ => format!("step `{step}`: {}", error.message),
            };
            self.finish(RunState::Failed, Some(reason), Some(step.clone()), now);
            return None;
        };
        let in_scope = json!({
            "message": error.message,
            "status": error.status,
            "help": error.help,
            "step": step.action,
            "item": step.item,
        });
        match self.action(action, Some(in_scope), now) {
            Progress::Act(act) => return Some(act),
            Progress::More => {}
            Progress::Complete(result) => {
                self.complete(action, result);
                self.failure_done += 1;
            }
            Progress::Failed(..) => {
                self.complete(action, json!(null));
                self.failure_done += 1;
            }
        }
        None
    }
}

/// A template's failure, with its place.
pub(super) fn template_error(file: &SourceFile, error: &LocatedError) -> StepError {
    let mut diagnostic = Diagnostic::new(Code::TemplateFailed, error.span, error.error.message.clone());
    diagnostic.help.clone_from(&error.error.help);
    let position = file.position(error.span.start);
    StepError {
        message: format!("{}:{}:{}: {}", file.name(), position.line, position.column, error.error.message),
        status: None,
        help: error.error.help.clone(),
        excerpt: Some(render(file, &[diagnostic], false)),
    }
}
