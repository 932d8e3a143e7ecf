//! Updates that would change nothing, as the run itself has read or written their record.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::Machine;
use super::progress::{CurrentStep, Progress};
use crate::catalog::{Builtin, Effect, Operation, WriteTarget, path};
use crate::check::Resource;
use crate::recipe::UnchangedPolicy;
use crate::run::entry::{Entry, StepKey};
use crate::run::item_id;
use crate::run::status::{Phase, StepStatus};
use crate::run::unchanged::{FRESH, Held, held};
use crate::value::{Map, Value, id};

/// What the run knows of the record of an update.
pub(super) enum Unchanged {
    /// The update is left out.
    LeftOut(Progress),
    /// Nothing speaks against leaving it out, if others know the record.
    Unknown,
    /// It is sent.
    Sent,
}

/// What the run has seen of a record.
#[derive(Default)]
struct Seen {
    /// The record as it was shown.
    record: Map<String, Value>,
    /// Its fields, those that are known to be empty included.
    fields: Map<String, Value>,
    /// When, and by which step.
    by: Option<(DateTime<Utc>, StepKey)>,
    /// The run wrote something that may have changed it, in fields that are not known.
    is_disturbed: bool,
}

impl Machine {
    /// Leaves the update out if the run knows that it would change nothing.
    pub(super) fn unchanged(
        &mut self,
        current: &CurrentStep<'_>,
        status: &StepStatus,
        operation: &Operation,
        inputs: &Map<String, Value>,
    ) -> Unchanged {
        let record = operation.updates.as_deref().and_then(|name| inputs.get(name)).and_then(id);
        let connection = self.connection(&current.action, operation);
        let (Some(record), Some(connection)) = (record, connection) else { return Unchanged::Sent };
        // What was sent before and may have arrived is another question.
        if current.action.unchanged == UnchangedPolicy::Send || status.sent.is_some() {
            return Unchanged::Sent;
        }
        let seen = self.seen(operation, &connection, &record);
        let Some((_, step)) = seen.by.filter(|(at, _)| current.now - *at < FRESH) else {
            return if seen.is_disturbed { Unchanged::Sent } else { Unchanged::Unknown };
        };
        match held(operation, inputs, &seen.fields) {
            Held::All => {}
            Held::Unknown if !seen.is_disturbed => return Unchanged::Unknown,
            _ => return Unchanged::Sent,
        }
        let is_read = self.recipe.step_reads().contains(&current.key.action);
        let pick = current.action.pick.as_ref().map(|pick| pick.value.as_str());
        let Some(result) = result_of(operation, seen.record, pick, is_read) else { return Unchanged::Sent };
        let entry = Entry::StepUnchanged {
            step: current.key.clone(),
            operation: operation.id.clone(),
            result: Arc::new(result),
            reason: format!("it would change nothing, as step `{step}` showed"),
        };
        self.record(entry, current.now);
        Unchanged::LeftOut(Progress::More)
    }

    /// What the steps of the run told of the record called `id`.
    fn seen(&self, operation: &Operation, connection: &str, id: &str) -> Seen {
        let resource = Resource::of_operation(operation);
        let mut steps: Vec<(&StepKey, &StepStatus)> = self.status.steps.iter().collect();
        steps.sort_by_key(|(_, step)| step.done.or(step.sent));
        let mut seen = Seen::default();
        for (key, step) in steps.into_iter().filter(|(_, step)| !step.unchanged) {
            let Some((other, account)) = self.performed(key) else { continue };
            if other.builtin == Some(Builtin::HttpRequest) {
                seen.disturb();
                continue;
            }
            if other.builtin.is_some() || other.connector != operation.connector {
                continue;
            }
            let is_about =
                account.as_deref() == Some(connection) && Resource::of_operation(&other).meets(&resource);
            let result = match &step.phase {
                Phase::Done(result) if is_about => step.done.map(|at| (result.as_ref(), at)),
                _ => None,
            };
            if other.effect == Effect::Read {
                let result = result.filter(|_| self.shows_now(&other));
                if let Some((record, at)) = result.and_then(|(result, at)| Some((find(result, id)?, at))) {
                    let (record, fields) = (record.clone(), complete_fields(&other, record));
                    seen = Seen { record, fields, by: Some((at, key.clone())), is_disturbed: false };
                }
            } else if step.sent.is_some() {
                // In a dry run nothing was written.
                seen.write(&other, result.filter(|_| !self.skip_waits), id, key);
            }
        }
        seen
    }

    /// The operation of a step, and its connection.
    fn performed(&self, key: &StepKey) -> Option<(Arc<Operation>, Option<String>)> {
        if key.is_hydrate() {
            let operation = self.hydrated_by.clone()?;
            let account = self.run.accounts.get(&operation.connector).cloned();
            return Some((operation, account));
        }
        let action = self.recipe.all_actions().find(|action| action.id == key.action)?;
        Some((Arc::clone(action.operation), self.connection(&action, action.operation)))
    }

    /// Whether what it reads is as it is now: lists may lag behind.
    fn shows_now(&self, read: &Operation) -> bool {
        let catalog = self.recipe.catalog();
        let lags = catalog.connector(&read.connector).is_none_or(|connector| connector.list_lag_seconds > 0);
        let of_one = |operation: &Operation| operation.path.ends_with('}');
        if read.composite.is_empty() {
            return !lags || of_one(read);
        }
        let parts = read.composite.iter().map(|part| catalog.operation(&part.operation));
        !lags || parts.flatten().all(|part| of_one(part))
    }
}

/// The fields of a record that was read by itself: those that are described and missing are empty.
fn complete_fields(read: &Operation, record: &Map<String, Value>) -> Map<String, Value> {
    let mut fields = record.clone();
    if read.path.ends_with('}')
        && let Some(shape) = read.result_shape()
    {
        for name in shape.fields.keys() {
            fields.entry(name.clone()).or_insert(Value::Null);
        }
    }
    fields
}

impl Seen {
    /// The run did `other`, which came to a result about records of the kind, or to none.
    fn write(&mut self, other: &Operation, result: Option<(&Value, DateTime<Utc>)>, id: &str, key: &StepKey) {
        match (other.write_target(), result) {
            (Some(WriteTarget::Added(list) | WriteTarget::Removed(list)), Some(_)) => {
                self.record.shift_remove(list);
                self.fields.shift_remove(list);
                self.is_disturbed = true;
            }
            (Some(WriteTarget::Created | WriteTarget::Fields), Some((result, at))) => match item_id(result) {
                Some(shown) if shown == id => {
                    let record = result.as_object().cloned().unwrap_or_default();
                    let (fields, by) = (record.clone(), Some((at, key.clone())));
                    // What the answer does not show may be as it was sent, or not.
                    *self = Self { record, fields, by, is_disturbed: true };
                }
                // Another record of the kind.
                Some(_) => {}
                None => self.disturb(),
            },
            _ => self.disturb(),
        }
    }

    fn disturb(&mut self) {
        *self = Self { is_disturbed: true, ..Self::default() };
    }
}

/// The record called `id` in the result of a read: the result itself, a member of it, or what stands under a name.
fn find<'a>(result: &'a Value, id: &str) -> Option<&'a Map<String, Value>> {
    let is_it = |item: &Value| item_id(item).as_deref() == Some(id);
    let found = match result {
        whole if is_it(whole) => Some(whole),
        Value::Array(items) => items.iter().find(|item| is_it(item)),
        Value::Object(fields) => fields.values().find_map(|value| match value {
            Value::Array(items) => items.iter().find(|item| is_it(item)),
            item => is_it(item).then_some(item),
        }),
        _ => None,
    };
    found.and_then(Value::as_object)
}

/// What later steps see of an update that was left out: `record` where its answer would have shown it. `None` if they
/// read something that is not known.
pub fn result_of(
    operation: &Operation,
    record: Map<String, Value>,
    pick: Option<&str>,
    is_read: bool,
) -> Option<Value> {
    let mut record = Value::Object(record);
    if !is_read {
        return Some(record);
    }
    if operation.write_target() != Some(WriteTarget::Fields) {
        return None;
    }
    let pointer = path::pointer(operation.result.first()?)?;
    let Some(pick) = pick else { return Some(record) };
    for name in pointer.split('/').skip(1).collect::<Vec<_>>().into_iter().rev() {
        record = Value::Object(Map::from_iter([(name.to_owned(), record)]));
    }
    path::read(&record, pick)
}
