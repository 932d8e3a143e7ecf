//! Executes an operation: its steps, on the tables.

use std::borrow::Cow;
use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::Value as Any;
use serde::Serialize;
use serde_json::Value;

use super::convert::any_map;
use super::fault::{Fault, FaultKind};
use super::generate::Record;
use super::inputs::Inputs;
use super::refusal::Refusal;
use super::step::{Action, Behaviour, Step, Target};
use super::table::Table;
use super::template::Scope;
use crate::catalog::{FileKind, Operation};

/// All collections of a connector.
pub(super) type Tables = IndexMap<String, Table>;

/// Name under which a step with `each` collects its values.
const COLLECTED: &str = "collected";

/// A change to the stored records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The collection.
    pub collection: String,
    /// The record.
    pub id: String,
    /// What happened to it.
    pub kind: ChangeKind,
}

/// What happened to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It was created.
    Created,
    /// It was written, whether or not it changed.
    Updated,
    /// It was removed.
    Deleted,
}

/// The result of a step, for the answer.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Nothing to show.
    Done,
    /// A record, or none.
    Record(Option<Record>),
    /// A page of records.
    Records(Vec<Record>),
    /// The whole answer.
    Whole(Value),
}

/// Faults of lists.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ListFault {
    /// They never advance beyond the first page.
    pub(super) frozen: bool,
    /// They show only records older than this many milliseconds.
    pub(super) lag: Option<i64>,
}

impl ListFault {
    /// The effect of `fault` on lists.
    pub(super) fn from_fault(fault: Option<&Fault>) -> Self {
        match fault.map(|fault| &fault.what) {
            Some(FaultKind::FrozenCursor) => Self { frozen: true, ..Self::default() },
            Some(FaultKind::Lag(lag)) => Self { lag: Some(*lag), ..Self::default() },
            _ => Self::default(),
        }
    }
}

/// The execution of an operation.
pub(super) struct Execution<'a> {
    pub(super) operation: &'a Operation,
    pub(super) inputs: &'a Inputs,
    pub(super) tables: &'a mut Tables,
    /// Milliseconds since 1970.
    pub(super) now: i64,
    /// Faults of lists.
    pub(super) list: ListFault,
    pub(super) changes: Vec<Change>,
}

impl Execution<'_> {
    /// Executes the operation. Afterwards `scope` contains what the answer may show.
    pub(super) fn run(&mut self, behaviour: &Behaviour, scope: &mut Scope) -> Result<Outcome, Refusal> {
        self.check_needs(behaviour, scope)?;
        for step in &behaviour.before {
            self.side_step(step, scope)?;
        }
        for refuse in &behaviour.refuse {
            if refuse.condition.holds(scope) {
                let message = refuse.message.text(scope).unwrap_or_default();
                return Err(Refusal::new(refuse.with.clone()).message(message));
            }
        }
        let outcome = self.step(&behaviour.step, scope)?;
        for step in &behaviour.after {
            self.side_step(step, scope)?;
        }
        Ok(outcome)
    }

    /// A step before or after: later steps can read its result by its name.
    fn side_step(&mut self, step: &Step, scope: &mut Scope) -> Result<(), Refusal> {
        let mut inner = scope.clone();
        self.step(step, &mut inner)?;
        for name in step.name.iter().cloned().map(Cow::Owned).chain([Cow::Borrowed(COLLECTED)]) {
            if let Some(value) = inner.get(&name) {
                scope.set_any(name, value);
            }
        }
        Ok(())
    }

    fn check_needs(&mut self, behaviour: &Behaviour, scope: &Scope) -> Result<(), Refusal> {
        for (collection, id) in &behaviour.needs {
            let Some(id) = id.text(scope) else { continue };
            if self.table(collection)?.slot(&id).is_none() {
                return Err(not_found(collection, &id));
            }
        }
        Ok(())
    }

    fn step(&mut self, step: &Step, scope: &mut Scope) -> Result<Outcome, Refusal> {
        if step.condition.as_ref().is_some_and(|condition| !condition.holds(scope)) {
            return Ok(Outcome::Done);
        }
        let Some(each) = &step.each else { return self.once(step, scope) };
        let Some(Value::Array(items)) = each.render(scope) else { return Ok(Outcome::Done) };
        let mut collected = Vec::new();
        let mut records = Vec::new();
        for item in &items {
            let mut inner = scope.with("item", item);
            if let Outcome::Record(Some(record)) = self.once(step, &mut inner)? {
                records.push(record);
            }
            collected.extend(step.collect.as_ref().and_then(|collect| collect.render(&inner)));
        }
        scope.set(COLLECTED, &Value::Array(collected));
        Ok(Outcome::Records(records))
    }

    fn once(&mut self, step: &Step, scope: &mut Scope) -> Result<Outcome, Refusal> {
        let outcome = match &step.action {
            Action::Nothing(_) => Outcome::Done,
            Action::List(list) => self.list(list, scope)?,
            Action::Get(target) => self.get(target, scope)?,
            Action::Find(matching) => self.find(matching, scope)?,
            Action::Create(create) => self.create(create, scope)?,
            Action::Upsert(upsert) => self.upsert(upsert, scope)?,
            Action::Update(update) => self.update(update, scope)?,
            Action::Delete(target) => self.delete(target, scope)?,
            Action::DeleteAll(filter) => self.delete_all(filter, scope)?,
            Action::AddToSet(change) => self.change_set(change, true, scope)?,
            Action::RemoveFromSet(change) => self.change_set(change, false, scope)?,
            Action::Slots(slots) => self.slots(slots, scope)?,
        };
        if let Outcome::Record(record) = &outcome {
            let record = record.as_ref().map_or(Any::from(()), any_map);
            if let Some(name) = &step.name {
                scope.set_any(name.clone(), record.clone());
            }
            scope.set_any("record", record);
        }
        Ok(outcome)
    }

    /// The table `name`; an unknown name is an error of the script.
    pub(super) fn table(&mut self, name: &str) -> Result<&mut Table, Refusal> {
        self.tables.get_mut(name).ok_or_else(|| {
            Refusal::new("script").message(format!("{} has no collection `{name}`", FileKind::Sandbox))
        })
    }

    /// Id of the record in `target`.
    fn id(&self, target: &Target, scope: &Scope) -> String {
        let last =
            || self.inputs.path.get(self.operation.path.names().next_back()?)?.as_str().map(str::to_owned);
        target.id.as_ref().map_or_else(last, |id| id.text(scope)).unwrap_or_default()
    }

    /// The slot of the record in `target`.
    pub(super) fn target(&mut self, target: &Target, scope: &Scope) -> Result<Option<u32>, Refusal> {
        let id = self.id(target, scope);
        let wanted: Vec<(&String, Value)> = target
            .equal
            .iter()
            .filter_map(|(field, template)| Some((field, template.render(scope)?)))
            .collect();
        let table = self.table(&target.collection)?;
        // A record of another parent counts as missing.
        let fits = |slot: &u32| {
            wanted.iter().all(|(field, value)| table.field(*slot, field).as_deref() == Some(value))
        };
        match table.slot(&id).filter(fits) {
            Some(slot) => Ok(Some(slot)),
            None if target.missing_ok => Ok(None),
            None => Err(not_found(&target.collection, &id)),
        }
    }

    /// A record as shown in answers.
    pub(super) fn show(&mut self, collection: &str, slot: u32) -> Result<Option<Record>, Refusal> {
        let table = self.table(collection)?;
        let Some(record) = table.record(slot) else { return Ok(None) };
        let described = Arc::clone(table.collection());
        let id = Value::from(&**table.id(slot));
        let mut record = Arc::unwrap_or_clone(record);
        for hidden in &described.hidden {
            record.shift_remove(hidden);
        }
        for (field, embed) in &described.embed {
            let other = self.table(&embed.collection)?;
            let mut shown = Vec::new();
            for slot in other.with_field(&embed.by, &id) {
                let Some(record) = other.record(slot) else { continue };
                let mut record = record.as_ref().clone();
                if !embed.fields.is_empty() {
                    record.retain(|name, _| embed.fields.contains(name));
                }
                shown.push(Value::Object(record));
            }
            record.insert(field.clone(), Value::Array(shown));
        }
        Ok(Some(record))
    }

    /// Records a change.
    pub(super) fn record_change(&mut self, collection: &str, id: impl Into<String>, kind: ChangeKind) {
        self.changes.push(Change { collection: collection.to_owned(), id: id.into(), kind });
    }
}

/// The refusal for a missing record.
pub(super) fn not_found(collection: &str, id: &str) -> Refusal {
    let words = collection.replace('_', " ");
    let one: Cow<'_, str> = words.strip_suffix("ies").map_or_else(
        || Cow::Borrowed(words.strip_suffix('s').unwrap_or(&words)),
        |stem| Cow::Owned(format!("{stem}y")),
    );
    Refusal::new("not_found").fact("collection", collection).fact("kind", &*one).fact("id", id)
}
