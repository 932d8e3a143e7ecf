//! The start of a run: condition, lane and variables.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::Machine;
use super::template_error::template_error;
use crate::recipe::Recipe;
use crate::run::command::Command;
use crate::run::entry::{Entry, StepError, StepKey};
use crate::run::{Comparison, RunState};
use crate::secret::REDACTED;
use crate::template::{LocatedTemplate, Scope};
use crate::value::{Map, Value};

impl Machine {
    /// Starts the run; the command that is needed before, if any.
    pub(super) fn begin(&mut self, now: DateTime<Utc>) -> Option<Command> {
        if let Some(reason) = self.unreadable.clone() {
            self.fail_start(StepError::new(reason), now);
            return None;
        }
        self.compare_with_before(now);
        let checked = self.recipe.clone();
        let recipe = checked.recipe();
        let (start, links) = (StepKey::start(), self.links(&StepKey::start()));
        let scope = self.scope.clone().at(self.wall(now)).with_links(Arc::clone(&links));
        let begun = reason_not_to_start(recipe, &scope).and_then(|filtered| match filtered {
            Some(reason) => Ok(Err(reason)),
            None => variables(recipe, &scope).map(Ok),
        });
        let begun = match self.find_asked(&start, &links) {
            Ok(None) => begun,
            Ok(command) => return command,
            Err(error) => Err(error),
        };
        match begun {
            Ok(Ok(vars)) => {
                self.scope.set("vars", Value::Object(vars.clone()));
                self.record(Entry::Started { version: checked.version().to_owned(), vars }, now);
            }
            Ok(Err(reason)) => self.finish(RunState::Filtered, Some(reason), None, now),
            Err(error) => self.fail_start(error, now),
        }
        None
    }

    /// What changed of the record since it was seen before: found out once, for a recipe that reads it.
    fn compare_with_before(&mut self, now: DateTime<Utc>) {
        if self.status.compared.is_none()
            && let Some(seen) = self.seen_before.take()
        {
            let payload = self.scope.get("event").map(Cow::into_owned).unwrap_or_default();
            let Comparison { changed, before } = seen.compare(&payload);
            self.record(Entry::Compared { changed, before }, now);
        }
        self.restore_comparison();
    }

    /// `event.changed` and `event.before` are as they were when the run began.
    pub(super) fn restore_comparison(&mut self) {
        let Some(compared) = &self.status.compared else { return };
        let Some(mut event) = self.scope.get("event").map(Cow::into_owned) else { return };
        compared.add_to(&mut event);
        self.scope.set("event", event);
    }

    /// Restores the variables of a started run. They are evaluated again if the stored ones are unusable: for another
    /// version of the recipe, or if an older hob redacted them; the command that is needed before, if any.
    pub(super) fn restore_vars(&mut self) -> Option<Command> {
        let started = self.status.started.as_ref()?;
        let checked = self.recipe.clone();
        let stored = &started.vars;
        let whole = !Value::Object(stored.clone()).to_string().contains(REDACTED);
        let same = started.version == checked.version();
        let at = started.at;
        let vars = if whole && same {
            Ok(stored.clone())
        } else {
            let links = self.links(&StepKey::start());
            let scope = self.scope.clone().at(self.wall(at)).with_links(Arc::clone(&links));
            let vars = variables(checked.recipe(), &scope);
            match self.find_asked(&StepKey::start(), &links) {
                Ok(None) => vars,
                Ok(command) => return command,
                Err(error) => Err(error),
            }
        };
        match vars {
            Ok(vars) => self.scope.set("vars", Value::Object(vars)),
            Err(error) => self.fail_start(error, at),
        }
        None
    }

    fn fail_start(&mut self, error: StepError, now: DateTime<Utc>) {
        self.scope.set("vars", Value::Object(Map::new()));
        let entry = Entry::StepFailed {
            step: StepKey::start(),
            attempt: 1,
            error,
            retry_at: None,
            lost: false,
            read: None,
        };
        self.record(entry, now);
    }
}

/// Why the run does not start, if so. A lane that cannot be evaluated is a failure: the run must not be in the wrong
/// lane.
fn reason_not_to_start(recipe: &Recipe, scope: &Scope) -> Result<Option<String>, StepError> {
    if let Some(when) = &recipe.when
        && !when.holds(scope).map_err(|error| template_error(&recipe.file, &error))?
    {
        return Ok(Some(unmet_reason("when", when, scope)));
    }
    if let Some(lane) = &recipe.lane {
        lane.evaluate(scope).map_err(|error| template_error(&recipe.file, &error))?;
    }
    Ok(None)
}

/// The reason for a false condition, with its value.
pub(super) fn unmet_reason(field: &str, condition: &LocatedTemplate, scope: &Scope) -> String {
    let text = condition.text();
    match condition.evaluate(scope) {
        Ok(value) => {
            let shown: String = value.to_string().chars().take(100).collect();
            format!("`{field}` is not met: {text} is {shown}")
        }
        Err(_) => format!("`{field}` is not met: {text} is missing"),
    }
}

fn variables(recipe: &Recipe, scope: &Scope) -> Result<Map<String, Value>, StepError> {
    let mut scope = scope.clone();
    let mut vars = Map::new();
    for (name, tree) in &recipe.vars {
        scope.set("vars", Value::Object(vars.clone()));
        let value = tree.evaluate(&scope).map_err(|error| template_error(&recipe.file, &error))?;
        vars.insert(name.value.clone(), value);
    }
    Ok(vars)
}
