//! `links.find` in templates: what they ask for is looked up before the step is decided, and is in the history, so that
//! the step is the same after a restart and in all of its attempts.

use std::sync::Arc;

use super::Machine;
use super::progress::CurrentStep;
use crate::recipe::Action;
use crate::run::command::Command;
use crate::run::entry::{StepError, StepKey};
use crate::run::status::{Phase, StepStatus};
use crate::template::{Links, LocatedTemplate, Scope};

/// How often the links of a step are looked up: a link may be found by another one, but not without end.
const MAX_ROUNDS: u32 = 16;

impl Machine {
    /// The links that `step` knows.
    pub(super) fn links(&self, step: &StepKey) -> Arc<Links> {
        let found = self.status.steps.get(step).map_or(&[][..], |status| &status.links);
        Arc::new(Links::new(found.iter().map(|link| (link.query.clone(), link.found.clone())).collect()))
    }

    /// The command to look up what templates of `step` asked `links` for; none if they know all.
    pub(super) fn find_asked(&self, step: &StepKey, links: &Links) -> Result<Option<Command>, StepError> {
        let asked = links.take_asked();
        if asked.is_empty() {
            return Ok(None);
        }
        if self.status.steps.get(step).is_some_and(|status| status.link_rounds >= MAX_ROUNDS) {
            let help = "what it is given must not change with each look, as `now()` does".to_owned();
            let message = format!("`links.find` asks for yet another link after {MAX_ROUNDS} rounds");
            return Err(StepError { help: Some(help), ..StepError::new(message) });
        }
        Ok(Some(Command::FindLinks { step: step.clone(), links: asked }))
    }

    /// The same for the condition and the inputs of a step that is about to be decided. They are evaluated ahead only
    /// if they find links.
    pub(super) fn find_step_links(
        &self,
        current: &CurrentStep<'_>,
        status: &StepStatus,
    ) -> Result<Option<Command>, StepError> {
        let at = match &status.phase {
            Phase::Open => current.now,
            Phase::Waiting { until, .. } if current.now >= *until => current.now,
            Phase::Intended | Phase::InDoubt { .. } => status.sent.unwrap_or(current.now),
            _ => return Ok(None),
        };
        let action = &current.action;
        let condition =
            action.condition.as_ref().filter(|_| status.phase == Phase::Open && status.has_no_attempt());
        if !condition.is_some_and(finds_links) && !inputs_find_links(action) {
            return Ok(None);
        }
        let links = self.links(&current.key);
        let scope = current.scope.clone().with_links(Arc::clone(&links));
        let holds = condition.is_none_or(|condition| condition.holds(&scope).unwrap_or(false));
        if let Some(command) = self.find_asked(&current.key, &links)? {
            return Ok(Some(command));
        }
        if holds {
            // Its errors are reported when the step is decided.
            let _ = action.with.evaluate(&scope.at(self.wall(at)));
        }
        self.find_asked(&current.key, &links)
    }

    /// The same for the list of a `for_each` that is not evaluated yet.
    pub(super) fn find_list_links(
        &self,
        action: &Action,
        step: &StepKey,
        scope: &Scope,
    ) -> Result<Option<Command>, StepError> {
        let is_known = self.members.as_ref().is_some_and(|members| members.action == action.id);
        let Some(list) = action.for_each.as_ref().filter(|list| !is_known && finds_links(list)) else {
            return Ok(None);
        };
        let links = self.links(step);
        let _ = list.evaluate_shared(&scope.clone().with_links(Arc::clone(&links)));
        self.find_asked(step, &links)
    }
}

fn inputs_find_links(action: &Action) -> bool {
    action.with.templates().into_iter().any(finds_links)
}

/// Whether a template calls `links.find`.
pub(super) fn finds_links(template: &LocatedTemplate) -> bool {
    template.calls().iter().any(|call| call.finds_links())
}
