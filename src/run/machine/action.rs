//! An action: a single step, or one step per item of a list.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::Machine;
use super::progress::{CurrentStep, Progress, after};
use super::state::Members;
use super::template_error::template_error;
use crate::check::CheckedAction;
use crate::recipe::Action;
use crate::run::entry::{Entry, StepError, StepKey};
use crate::run::status::{Phase, StepStatus};
use crate::run::truncate::truncated_read;
use crate::template::Scope;
use crate::value::Value;

impl Machine {
    /// `error` is in scope for actions of `on_failure`.
    pub(super) fn action(
        &mut self,
        action: CheckedAction<'_>,
        error: Option<Value>,
        now: DateTime<Utc>,
    ) -> Progress {
        let after_failure = error.is_some();
        let mut scope = self.scope.clone().at(self.wall(now));
        if let Some(error) = error {
            scope.set("error", error);
        }
        let key = StepKey::new(&action.id);
        scope = scope.with_links(self.links(&key));
        if action.for_each.is_none() {
            return self.step(&CurrentStep { action, key, scope, after_failure, now });
        }
        match self.status.step(&key).phase {
            Phase::Skipped => return Progress::Complete(Value::Array(vec![]).into()),
            Phase::Failed(error) => return after(&action, key, error, Value::Array(vec![]).into()),
            _ => {}
        }
        if let Some(progress) = self.reads_unknown(&action, &key, after_failure, now) {
            return progress;
        }
        match self.find_list_links(&action, &key, &scope) {
            Ok(None) => {}
            Ok(Some(command)) => return Progress::Command(command),
            Err(error) => return self.list_failed(key, error, now),
        }
        let list =
            match truncated_read(&self.status, &action).map_or_else(|| self.list_of(&action, &scope), Err) {
                Ok(list) => list,
                Err(error) => return self.list_failed(key, error, now),
            };
        let list = list.as_array().map_or(&[][..], Vec::as_slice);
        if list.is_empty() {
            self.record(Entry::StepSkipped { step: key, reason: "`for_each` is empty".into() }, now);
            return Progress::More;
        }
        self.members(action, list, &scope, after_failure, now)
    }

    /// The list of a `for_each` is unknown: none of its steps is taken.
    fn list_failed(&mut self, step: StepKey, error: StepError, now: DateTime<Utc>) -> Progress {
        let failed = Entry::StepFailed { step, attempt: 1, error, retry_at: None, lost: false, read: None };
        self.record(failed, now);
        Progress::More
    }

    fn members(
        &mut self,
        action: CheckedAction<'_>,
        list: &[Value],
        scope: &Scope,
        after_failure: bool,
        now: DateTime<Utc>,
    ) -> Progress {
        let done = self.members.as_ref().map_or(0, |members| members.done);
        for (index, member) in list.iter().enumerate().skip(done) {
            let key = StepKey { action: action.id.clone(), item: Some(index) };
            let scope = scope.clone().with(action.item_name.as_str(), member.clone());
            let scope = scope.with_links(self.links(&key));
            match self.step(&CurrentStep { action, key, scope, after_failure, now }) {
                Progress::Complete(_) => {
                    if let Some(members) = &mut self.members {
                        members.done = index + 1;
                    }
                }
                other => return other,
            }
        }
        let result =
            |index| match self.status.steps.get(&StepKey { action: action.id.clone(), item: Some(index) }) {
                Some(StepStatus { phase: Phase::Done(result), .. }) => Value::clone(result),
                _ => Value::Null,
            };
        Progress::Complete(Arc::new((0..list.len()).map(result).collect()))
    }

    /// The items, evaluated once. Null is an empty list, because many APIs write it so.
    fn list_of(&mut self, action: &Action, scope: &Scope) -> Result<Arc<Value>, StepError> {
        if let Some(members) = self.members.as_ref().filter(|members| members.action == action.id) {
            return Ok(Arc::clone(&members.list));
        }
        let Some(template) = &action.for_each else { return Ok(Arc::default()) };
        let list = template
            .evaluate_shared(scope)
            .map_err(|error| template_error(&self.recipe.recipe().file, &error))?;
        match list.as_ref() {
            Value::Array(_) | Value::Null => {}
            other => {
                let kind = match other {
                    Value::Object(_) => "a mapping",
                    Value::String(_) => "text",
                    _ => "a single value",
                };
                return Err(StepError::new(format!(
                    "`for_each` needs a list, and {} is {kind}",
                    template.text()
                )));
            }
        }
        self.members = Some(Members { action: action.id.clone(), list: Arc::clone(&list), done: 0 });
        Ok(list)
    }
}
