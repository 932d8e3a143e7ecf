//! Compares a record as it is with the fields that hob wrote to it last. Pure.

use std::collections::BTreeSet;

use crate::catalog::{Catalog, Operation, WriteTarget};
use crate::journal::Written;
use crate::run::{Difference, differences};
use crate::value::{Map, Value};

/// Texts from this length on may be stored cut.
const MAX_TEXT: usize = 15 << 10;

/// The fields of one write that differ.
#[derive(Debug)]
pub(super) struct Differing<'a> {
    /// The write.
    pub(super) written: &'a Written,
    /// They were not as written in its answer either.
    pub(super) not_kept: bool,
    pub(super) fields: Vec<Difference>,
}

/// The writes among `written` to the record that `read` reads, newest first, up to its deletion.
fn of_record<'a>(
    written: &'a [Written],
    read: &Operation,
    catalog: &'a Catalog,
) -> Vec<(&'a Written, &'a Operation, WriteTarget<'a>)> {
    let of_kind = written.iter().filter_map(|written| {
        let operation: &Operation = catalog.operation(&written.write.operation)?;
        let is_of_kind =
            operation.connector == read.connector && operation.resource_names().meet(&read.resource_names());
        Some((written, operation, operation.write_target().filter(|_| is_of_kind)?))
    });
    of_kind.take_while(|(_, _, target)| *target != WriteTarget::Deleted).collect()
}

/// Whether hob wrote fields of the record that `read` reads, and has not deleted it since.
pub(super) fn is_written(written: &[Written], read: &Operation, catalog: &Catalog) -> bool {
    let sets = |target: &WriteTarget<'_>| matches!(target, WriteTarget::Created | WriteTarget::Fields);
    of_record(written, read, catalog).iter().any(|(_, _, target)| sets(target))
}

/// The fields of the record with the answer `body` of `read` that are not as hob wrote them last. `written` are the
/// writes to it, newest first.
pub(super) fn differing<'a>(
    written: &'a [Written],
    read: &Operation,
    id_input: &str,
    body: &Value,
    catalog: &'a Catalog,
) -> Vec<Differing<'a>> {
    let mut found = Vec::new();
    let mut later: BTreeSet<&str> = BTreeSet::new();
    for (written, operation, target) in of_record(written, read, catalog) {
        let sent = match (target, &written.write.fields) {
            (WriteTarget::Added(list) | WriteTarget::Removed(list), _) => {
                later.insert(list);
                continue;
            }
            (_, Value::Object(sent)) => sent,
            _ => continue,
        };
        let own = sent.iter().filter(|(name, value)| !later.contains(name.as_str()) && !may_be_cut(value));
        let mut inputs: Map<String, Value> = own.map(|(name, value)| (name.clone(), value.clone())).collect();
        later.extend(sent.keys().map(String::as_str));
        if inputs.is_empty() {
            continue;
        }
        if operation.parameters.contains_key(id_input) {
            inputs.insert(id_input.to_owned(), written.write.record.clone().into());
        }
        let shown = as_shown_by(operation, read);
        let (not_kept, changed) = differences(&shown, &inputs, body)
            .into_iter()
            .partition::<Vec<_>, _>(|difference| was_not_kept(written, difference));
        for (not_kept, fields) in [(true, not_kept), (false, changed)] {
            if !fields.is_empty() {
                found.push(Differing { written, not_kept, fields });
            }
        }
    }
    found
}

/// The write `operation` with its record shown as `read` shows it, which is whole.
fn as_shown_by(operation: &Operation, read: &Operation) -> Operation {
    let mut shown = operation.clone();
    (shown.result, shown.response) = (read.result.clone(), read.response.clone());
    shown.shows.whole = true;
    shown
}

fn may_be_cut(value: &Value) -> bool {
    match value {
        Value::String(text) => text.len() >= MAX_TEXT,
        Value::Array(items) => items.iter().any(may_be_cut),
        Value::Object(fields) => fields.values().any(may_be_cut),
        _ => false,
    }
}

/// Whether the answer to the write showed the field as it is now, and not as it was sent.
fn was_not_kept(written: &Written, difference: &Difference) -> bool {
    let answer = written.write.origin.as_ref().map(|origin| &origin.answer);
    answer.and_then(|answer| answer.get(&difference.field)) == Some(&difference.got)
}
