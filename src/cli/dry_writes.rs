//! The writes of a dry run by record, with the values that the record has where the run has read it.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use serde_json::{Map, Value};

use super::table::table;
use crate::catalog::{Operation, Place, WriteTarget};
use crate::check::CheckedRecipe;
use crate::journal::RunDetail;
use crate::run::{Entry, StepKey, item_id};
use crate::value::{id, shortened};

/// Longest value in the table, in characters.
const MAX_VALUE: usize = 60;

/// A field that a run would write.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct DryWrite {
    /// The record's id; none of one that would be created.
    record: Option<String>,
    step: String,
    operation: String,
    field: String,
    /// The value before, where a read or the event shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<Value>,
    /// The value after; of members that would be added to a list or taken out of it, only these where the list is not
    /// known.
    new: Value,
}

/// What the run of `detail`, a dry one, would write.
pub(super) fn writes(detail: &RunDetail, recipe: &CheckedRecipe) -> Vec<DryWrite> {
    let mut known = Known::default();
    if detail.event.record.is_some() && item_id(&detail.event.payload) == detail.event.record {
        known.add(&detail.event.payload);
    }
    let mut all = Vec::new();
    for stamped in &detail.entries {
        match &stamped.entry {
            Entry::Intent { step, operation, inputs, .. } => {
                known.sent.insert(step.clone());
                let operation = recipe.operation_by_id(operation);
                let operation = operation.filter(|operation| operation.builtin.is_none());
                if let (Some(operation), Value::Object(inputs)) = (operation, inputs) {
                    all.extend(known.fields(step, operation, inputs));
                }
            }
            // What answers a write is a sample.
            Entry::StepSucceeded { step, result, .. } if !known.sent.contains(step) => {
                known.add_within(result)
            }
            _ => {}
        }
    }
    all
}

/// Records as they were read.
#[derive(Default)]
struct Known {
    records: HashMap<String, Map<String, Value>>,
    sent: HashSet<StepKey>,
}

impl Known {
    fn add(&mut self, item: &Value) {
        if let (Some(id), Value::Object(fields)) = (item_id(item), item) {
            self.records.entry(id).or_default().extend(fields.clone());
        }
    }

    /// Adds the records in a result: the result itself, its members, or what stands under a name.
    fn add_within(&mut self, result: &Value) {
        self.add(result);
        let parts: Vec<&Value> = match result {
            Value::Array(items) => items.iter().collect(),
            Value::Object(fields) => fields.values().collect(),
            _ => Vec::new(),
        };
        for part in parts {
            match part {
                Value::Array(items) => items.iter().for_each(|item| self.add(item)),
                part => self.add(part),
            }
        }
    }

    fn fields(&self, step: &StepKey, operation: &Operation, inputs: &Map<String, Value>) -> Vec<DryWrite> {
        let in_path = |name: &str| {
            operation.parameters.get(name).is_some_and(|parameter| parameter.place == Place::Path)
        };
        let updated = operation.updates.as_deref().and_then(|name| inputs.get(name)).and_then(id);
        let named = || inputs.iter().find(|(name, _)| in_path(name)).and_then(|(_, value)| id(value));
        let record = updated.or_else(named);
        // Of an operation about something that belongs to a record, the fields are not those of the record.
        let is_of_record = operation.updates.is_some();
        let shown = record.as_ref().filter(|_| is_of_record).and_then(|record| self.records.get(record));
        let sent = inputs.iter().filter(|(name, _)| !in_path(name));
        sent.map(|(name, value)| {
            let old = shown.and_then(|shown| shown.get(name)).cloned();
            DryWrite {
                record: record.clone(),
                step: step.to_string(),
                operation: operation.id.clone(),
                field: name.clone(),
                new: new_value(operation.write_target(), name, old.as_ref(), value),
                old,
            }
        })
        .collect()
    }
}

/// The value of a field after the write.
fn new_value(target: Option<WriteTarget<'_>>, name: &str, old: Option<&Value>, sent: &Value) -> Value {
    let (Some(Value::Array(old)), Value::Array(sent)) = (old, sent) else { return sent.clone() };
    match target {
        Some(WriteTarget::Added(list)) if list == name => {
            let more = sent.iter().filter(|member| !old.contains(member));
            old.iter().chain(more).cloned().collect()
        }
        Some(WriteTarget::Removed(list)) if list == name => {
            old.iter().filter(|member| !sent.contains(member)).cloned().collect()
        }
        _ => Value::Array(sent.clone()),
    }
}

/// The table of `writes`; none if there are none.
pub(super) fn writes_table<'a>(writes: impl Iterator<Item = &'a DryWrite>) -> Option<String> {
    let shown = |value: &Value| shortened(value.clone(), MAX_VALUE).to_string();
    let rows: Vec<Vec<String>> = writes
        .map(|write| {
            let old = match &write.old {
                Some(old) if *old == write.new => "the same".to_owned(),
                Some(old) => shown(old),
                None => "?".to_owned(),
            };
            let record = write.record.clone().unwrap_or_else(|| "(new)".to_owned());
            vec![record, write.operation.clone(), write.field.clone(), old, shown(&write.new)]
        })
        .collect();
    (!rows.is_empty()).then(|| table(&["RECORD", "OPERATION", "FIELD", "OLD", "NEW"], rows))
}
