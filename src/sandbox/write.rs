//! The verbs that change records.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::convert::any_map;
use super::execute::{ChangeKind, Outcome, Performance};
use super::generate::{self, Record};
use super::refusal::Refusal;
use super::step::{Behaviour, Verb};
use super::template::Scope;

impl Performance<'_> {
    /// A new record.
    pub(super) fn create(&mut self, step: &Behaviour, scope: &mut Scope) -> Result<Outcome, Refusal> {
        let mut given = self.given(step, scope)?;
        for (field, fill) in &step.equal {
            if let Some(value) = fill.render(scope) {
                given.insert(field.clone(), value);
            }
        }
        self.check_unique(&step.collection, &given, None)?;
        let now = self.now;
        let table = self.table(&step.collection)?;
        let collection = Arc::clone(table.collection());
        let id = given.get(&collection.id.field).and_then(Value::as_str).map(str::to_owned);
        let id = id.unwrap_or_else(|| table.new_id());
        let record = generate::complete(&collection, given, &id, Some(now), scope);
        let slot = table.insert(&id, record);
        if let Some(slot) = slot {
            table.was_born(slot, now);
        }
        self.changed(&step.collection, id, ChangeKind::Created);
        scope.set("created", &Value::Bool(true));
        let Some(slot) = slot else { return Ok(Outcome::Done) };
        Ok(Outcome::Record(self.show(&step.collection, slot)?))
    }

    /// A change of the record that fits, else a new one.
    pub(super) fn upsert(&mut self, step: &Behaviour, scope: &mut Scope) -> Result<Outcome, Refusal> {
        match self.matching(step, scope)? {
            None => self.create(step, scope),
            Some(slot) => {
                let mut given = self.given(step, scope)?;
                self.drop_taken(&step.collection, &mut given, slot)?;
                scope.set("created", &Value::Bool(false));
                self.write(step, slot, given, scope)
            }
        }
    }

    /// A change of the fields given.
    pub(super) fn update(&mut self, step: &Behaviour, scope: &mut Scope) -> Result<Outcome, Refusal> {
        let Some(slot) = self.target(step, scope)? else { return Ok(Outcome::Record(None)) };
        let before = self.show(&step.collection, slot)?;
        if let Some(before) = &before {
            scope.set_any("record", any_map(before));
        }
        let given = self.given(step, scope)?;
        self.check_unique(&step.collection, &given, Some(slot))?;
        self.write(step, slot, given, scope)
    }

    /// A record goes.
    pub(super) fn delete(&mut self, step: &Behaviour, scope: &mut Scope) -> Result<Outcome, Refusal> {
        let Some(slot) = self.target(step, scope)? else { return Ok(Outcome::Record(None)) };
        let shown = self.show(&step.collection, slot)?;
        let table = self.table(&step.collection)?;
        let id = table.id(slot).to_string();
        table.remove(slot);
        self.changed(&step.collection, id, ChangeKind::Deleted);
        if let Some(shown) = &shown {
            scope.set_any("record", any_map(shown));
        }
        Ok(Outcome::Done)
    }

    /// All records that fit go.
    pub(super) fn delete_all(&mut self, step: &Behaviour, scope: &mut Scope) -> Result<Outcome, Refusal> {
        let slots = self.all_fitting(step, scope)?;
        for &slot in &slots {
            let table = self.table(&step.collection)?;
            let id = table.id(slot).to_string();
            table.remove(slot);
            self.changed(&step.collection, id, ChangeKind::Deleted);
        }
        scope.set("count", &Value::from(slots.len()));
        Ok(Outcome::Done)
    }

    /// Members are added to, or taken from, a field's list.
    pub(super) fn change_set(&mut self, step: &Behaviour, scope: &mut Scope) -> Result<Outcome, Refusal> {
        let Some(slot) = self.target(step, scope)? else { return Ok(Outcome::Record(None)) };
        let wanted = match step.values.as_ref().and_then(|values| values.render(scope)) {
            Some(Value::Array(members)) => members,
            Some(member) => vec![member],
            None => Vec::new(),
        };
        let table = self.table(&step.collection)?;
        let normalise = table.collection().normalise.get(&step.field);
        let wanted = match normalise {
            Some(fill) => fill.render(&scope.with("value", &Value::Array(wanted.clone()))),
            None => None,
        }
        .and_then(|value| value.as_array().cloned())
        .unwrap_or(wanted);
        let held =
            table.field(slot, &step.field).and_then(|value| value.as_array().cloned()).unwrap_or_default();
        let adding = step.verb == Verb::AddToSet;
        let (delta, members): (Vec<Value>, Vec<Value>) = if adding {
            let new: Vec<Value> = wanted.into_iter().filter(|member| !held.contains(member)).collect();
            (new.clone(), held.iter().cloned().chain(new).collect())
        } else {
            held.iter().cloned().partition(|member| wanted.contains(member))
        };
        scope.set("previous", &Value::Array(held));
        scope.set("members", &Value::Array(members.clone()));
        scope.set(if adding { "added" } else { "removed" }, &Value::Array(delta));
        self.write(step, slot, Map::from_iter([(step.field.clone(), Value::Array(members))]), scope)
    }

    fn write(
        &mut self,
        step: &Behaviour,
        slot: u32,
        given: Record,
        scope: &Scope,
    ) -> Result<Outcome, Refusal> {
        let now = self.now;
        let table = self.table(&step.collection)?;
        let collection = Arc::clone(table.collection());
        let Some(record) = table.record(slot) else { return Ok(Outcome::Record(None)) };
        let mut record = record.as_ref().clone();
        for (field, value) in given {
            let value = match collection.merge_by.get(&field) {
                Some(key) => merged(record.get(&field), value, key),
                None => value,
            };
            record.insert(field, value);
        }
        if let Some(field) = &collection.updated {
            record.insert(field.clone(), generate::written_time(&collection, now));
        }
        generate::compute(&collection, &mut record, scope);
        let id = table.id(slot).to_string();
        table.replace(slot, record);
        self.changed(&step.collection, id, ChangeKind::Updated);
        Ok(Outcome::Record(self.show(&step.collection, slot)?))
    }

    /// The fields that a request gives, as they are stored.
    fn given(&mut self, step: &Behaviour, scope: &Scope) -> Result<Record, Refusal> {
        let collection = Arc::clone(self.table(&step.collection)?.collection());
        let body = match &step.from {
            Some(from) => from.render(scope),
            None => Some(self.inputs.body.clone()),
        };
        let mut given = Record::new();
        if let Some(Value::Object(fields)) = body {
            for (field, value) in fields {
                if step.omit.contains(&field) {
                    continue;
                }
                let field = step.rename.get(&field).cloned().unwrap_or(field);
                given.insert(field, value);
            }
        }
        for (field, fill) in &step.set {
            if let Some(value) = fill.render(scope) {
                given.insert(field.clone(), value);
            }
        }
        normalise(&collection, &mut given, scope);
        for (field, known) in &collection.known {
            let named = self.table(&known.collection)?;
            if let Some(Value::Array(members)) = given.get_mut(field) {
                members.retain(|member| {
                    let id = member.get(&known.by).and_then(Value::as_str);
                    id.is_some_and(|id| named.slot(id).is_some())
                });
            }
        }
        Ok(given)
    }

    /// The first record of another id that has one of the unique fields of `given`.
    fn taken(
        &mut self,
        collection: &str,
        given: &Record,
        own: Option<u32>,
    ) -> Result<Option<(String, u32)>, Refusal> {
        let table = self.table(collection)?;
        for field in table.collection().unique.clone() {
            let Some(value) = given.get(&field).filter(|value| is_something(value)) else { continue };
            let other = table.with_field(&field, value).into_iter().find(|slot| Some(*slot) != own);
            if let Some(slot) = other {
                return Ok(Some((field, slot)));
            }
        }
        Ok(None)
    }

    fn check_unique(&mut self, collection: &str, given: &Record, own: Option<u32>) -> Result<(), Refusal> {
        let Some((field, slot)) = self.taken(collection, given, own)? else { return Ok(()) };
        let existing = self.show(collection, slot)?.map_or(Value::Null, Value::Object);
        Err(Refusal::new("duplicate")
            .about("record", existing)
            .about("field", field)
            .about("collection", collection))
    }

    /// Leaves out what belongs to another record already.
    fn drop_taken(&mut self, collection: &str, given: &mut Record, own: u32) -> Result<(), Refusal> {
        while let Some((field, _)) = self.taken(collection, given, Some(own))? {
            given.shift_remove(&field);
        }
        Ok(())
    }
}

/// The members of `new`, and those of `old` whose key is not among them.
fn merged(old: Option<&Value>, new: Value, key: &str) -> Value {
    let (Some(Value::Array(old)), Value::Array(new)) = (old, &new) else { return new };
    let kept = old.iter().filter(|member| !new.iter().any(|other| other.get(key) == member.get(key)));
    kept.chain(new).cloned().collect()
}

fn is_something(value: &Value) -> bool {
    !value.is_null() && value.as_str() != Some("")
}

/// Rewrites the fields that the collection keeps in one notation.
pub(super) fn normalise(collection: &super::config::Collection, given: &mut Record, scope: &Scope) {
    for (field, fill) in &collection.normalise {
        if let Some(value) = given.get(field).filter(|value| is_something(value))
            && let Some(value) = fill.render(&scope.with("value", value))
        {
            given.insert(field.clone(), value);
        }
    }
}
