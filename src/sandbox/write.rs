//! The verbs that change records.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::convert::any_map;
use super::execute::{ChangeKind, Execution, Outcome};
use super::generate::{self, Record};
use super::refusal::Refusal;
use super::step::{Create, Filter, Given, SetChange, Target, Update, Upsert};
use super::template::{Scope, Template};

impl Execution<'_> {
    /// A new record.
    pub(super) fn create(&mut self, create: &Create, scope: &mut Scope) -> Result<Outcome, Refusal> {
        self.insert(&create.collection, &create.given, &create.equal, scope)
    }

    fn insert(
        &mut self,
        name: &str,
        given: &Given,
        equal: &IndexMap<String, Template>,
        scope: &mut Scope,
    ) -> Result<Outcome, Refusal> {
        let mut given = self.given(name, given, scope)?;
        for (field, template) in equal {
            if let Some(value) = template.render(scope) {
                given.insert(field.clone(), value);
            }
        }
        self.check_unique(name, &given, None)?;
        let now = self.now;
        let table = self.table(name)?;
        let collection = Arc::clone(table.collection());
        let id = given.get(&collection.id.field).and_then(Value::as_str).map(str::to_owned);
        let id = id.unwrap_or_else(|| table.new_id());
        let record = generate::complete(&collection, given, &id, Some(now), scope);
        let slot = table.insert(&id, record);
        if let Some(slot) = slot {
            table.set_created(slot, now);
        }
        self.record_change(name, id, ChangeKind::Created);
        scope.set("created", &Value::Bool(true));
        let Some(slot) = slot else { return Ok(Outcome::Done) };
        Ok(Outcome::Record(self.show(name, slot)?))
    }

    /// Changes the record that matches, or creates one.
    pub(super) fn upsert(&mut self, upsert: &Upsert, scope: &mut Scope) -> Result<Outcome, Refusal> {
        let Upsert { matching, given } = upsert;
        match self.matching(matching, scope)? {
            None => self.insert(&matching.collection, given, &matching.equal, scope),
            Some(slot) => {
                let mut given = self.given(&matching.collection, given, scope)?;
                self.drop_taken(&matching.collection, &mut given, slot)?;
                scope.set("created", &Value::Bool(false));
                self.write(&matching.collection, slot, given, scope)
            }
        }
    }

    /// Changes the fields given.
    pub(super) fn update(&mut self, update: &Update, scope: &mut Scope) -> Result<Outcome, Refusal> {
        let Update { target, given } = update;
        let Some(slot) = self.target(target, scope)? else { return Ok(Outcome::Record(None)) };
        let before = self.show(&target.collection, slot)?;
        if let Some(before) = &before {
            scope.set_any("record", any_map(before));
        }
        let given = self.given(&target.collection, given, scope)?;
        self.check_unique(&target.collection, &given, Some(slot))?;
        self.write(&target.collection, slot, given, scope)
    }

    /// Removes a record.
    pub(super) fn delete(&mut self, target: &Target, scope: &mut Scope) -> Result<Outcome, Refusal> {
        let Some(slot) = self.target(target, scope)? else { return Ok(Outcome::Record(None)) };
        let shown = self.show(&target.collection, slot)?;
        self.remove(&target.collection, slot)?;
        if let Some(shown) = &shown {
            scope.set_any("record", any_map(shown));
        }
        Ok(Outcome::Done)
    }

    /// Removes all records that match.
    pub(super) fn delete_all(&mut self, filter: &Filter, scope: &mut Scope) -> Result<Outcome, Refusal> {
        let slots = self.all_matching(filter, scope)?;
        for &slot in &slots {
            self.remove(&filter.collection, slot)?;
        }
        scope.set("count", &Value::from(slots.len()));
        Ok(Outcome::Done)
    }

    fn remove(&mut self, collection: &str, slot: u32) -> Result<(), Refusal> {
        let table = self.table(collection)?;
        let id = table.id(slot).to_string();
        table.remove(slot);
        self.record_change(collection, id, ChangeKind::Deleted);
        Ok(())
    }

    /// Adds members to a list field, or removes them from it.
    pub(super) fn change_set(
        &mut self,
        change: &SetChange,
        adding: bool,
        scope: &mut Scope,
    ) -> Result<Outcome, Refusal> {
        let SetChange { target, field, values } = change;
        let Some(slot) = self.target(target, scope)? else { return Ok(Outcome::Record(None)) };
        let wanted = match values.as_ref().and_then(|values| values.render(scope)) {
            Some(Value::Array(members)) => members,
            Some(member) => vec![member],
            None => Vec::new(),
        };
        let table = self.table(&target.collection)?;
        let normalise = table.collection().normalise.get(field);
        let wanted = match normalise {
            Some(template) => template.render(&scope.with("value", &Value::Array(wanted.clone()))),
            None => None,
        }
        .and_then(|value| value.as_array().cloned())
        .unwrap_or(wanted);
        let held = table.field(slot, field).and_then(|value| value.as_array().cloned()).unwrap_or_default();
        let (delta, members): (Vec<Value>, Vec<Value>) = if adding {
            let new: Vec<Value> = wanted.into_iter().filter(|member| !held.contains(member)).collect();
            (new.clone(), held.iter().cloned().chain(new).collect())
        } else {
            held.iter().cloned().partition(|member| wanted.contains(member))
        };
        scope.set("previous", &Value::Array(held));
        scope.set("members", &Value::Array(members.clone()));
        scope.set(if adding { "added" } else { "removed" }, &Value::Array(delta));
        let given = Map::from_iter([(field.clone(), Value::Array(members))]);
        self.write(&target.collection, slot, given, scope)
    }

    fn write(&mut self, name: &str, slot: u32, given: Record, scope: &Scope) -> Result<Outcome, Refusal> {
        let now = self.now;
        let table = self.table(name)?;
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
            record.insert(field.clone(), generate::formatted_time(&collection, now));
        }
        generate::compute(&collection, &mut record, scope);
        let id = table.id(slot).to_string();
        table.replace(slot, record);
        self.record_change(name, id, ChangeKind::Updated);
        Ok(Outcome::Record(self.show(name, slot)?))
    }

    /// The fields to store from a request.
    fn given(&mut self, collection: &str, rule: &Given, scope: &Scope) -> Result<Record, Refusal> {
        let collection = Arc::clone(self.table(collection)?.collection());
        let body = match &rule.from {
            Some(from) => from.render(scope),
            None => Some(self.inputs.body.clone()),
        };
        let mut given = Record::new();
        if let Some(Value::Object(fields)) = body {
            for (field, value) in fields {
                if rule.omit.contains(&field) {
                    continue;
                }
                let field = rule.rename.get(&field).cloned().unwrap_or(field);
                given.insert(field, value);
            }
        }
        for (field, template) in &rule.set {
            if let Some(value) = template.render(scope) {
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

    /// The first other record with an equal unique field.
    fn taken(
        &mut self,
        collection: &str,
        given: &Record,
        own: Option<u32>,
    ) -> Result<Option<(String, u32)>, Refusal> {
        let table = self.table(collection)?;
        for field in table.collection().unique.clone() {
            let Some(value) = given.get(&field).filter(|value| is_given(value)) else { continue };
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
            .fact("record", existing)
            .fact("field", field)
            .fact("collection", collection))
    }

    /// Drops values that belong to another record.
    fn drop_taken(&mut self, collection: &str, given: &mut Record, own: u32) -> Result<(), Refusal> {
        while let Some((field, _)) = self.taken(collection, given, Some(own))? {
            given.shift_remove(&field);
        }
        Ok(())
    }
}

/// The items of `new`, and those of `old` with other keys.
fn merged(old: Option<&Value>, new: Value, key: &str) -> Value {
    let (Some(Value::Array(old)), Value::Array(new)) = (old, &new) else { return new };
    let kept = old.iter().filter(|member| !new.iter().any(|other| other.get(key) == member.get(key)));
    kept.chain(new).cloned().collect()
}

fn is_given(value: &Value) -> bool {
    !value.is_null() && value.as_str() != Some("")
}

/// Normalises fields with a fixed notation.
pub(super) fn normalise(collection: &super::config::Collection, given: &mut Record, scope: &Scope) {
    for (field, template) in &collection.normalise {
        if let Some(value) = given.get(field).filter(|value| is_given(value))
            && let Some(value) = template.render(&scope.with("value", value))
        {
            given.insert(field.clone(), value);
        }
    }
}
