//! The fields of a write that the answer shows with another value.

use super::compare::{Fields, compare_items};
use super::named::named_differences;
use crate::catalog::{Operation, Place, WriteTarget, path};
use crate::run::ShownRecord;
use crate::run::difference::Difference;
use crate::value::{Map, Value, id, is_nothing};

/// Names of fields that APIs take and do not show again.
const WRITE_ONLY: [&str; 6] = ["password", "passcode", "secret", "token", "apikey", "credential"];

/// The fields among `inputs` that the answer of `operation` with this `body` shows otherwise. Fields that it does not
/// show are judged only where the catalog says that it shows the whole record.
pub fn differences(operation: &Operation, inputs: &Map<String, Value>, body: &Value) -> Vec<Difference> {
    let Some(target) = operation.write_target() else { return Vec::new() };
    match target {
        WriteTarget::Created | WriteTarget::Fields => {
            let mut found = record_differences(operation, inputs, body, target == WriteTarget::Fields);
            found.extend(named_differences(operation, inputs, body));
            found
        }
        WriteTarget::Added(list) => {
            list_difference(operation, inputs, body, list, true).into_iter().collect()
        }
        WriteTarget::Removed(list) => {
            list_difference(operation, inputs, body, list, false).into_iter().collect()
        }
        WriteTarget::Deleted => Vec::new(),
    }
}

fn record_differences(
    operation: &Operation,
    inputs: &Map<String, Value>,
    body: &Value,
    updates: bool,
) -> Vec<Difference> {
    let shown = ShownRecord::of(operation, body);
    let named: Vec<String> = inputs
        .iter()
        .filter(|(name, _)| operation.parameters.get(*name).is_some_and(|known| known.place == Place::Path))
        .filter_map(|(_, value)| id(value))
        .collect();
    let is_the_record = match &shown.id {
        Some(id) => !updates || named.is_empty() || named.contains(id),
        None => operation.shows.whole,
    };
    let Value::Object(record) = &shown.record else { return Vec::new() };
    if !is_the_record {
        return Vec::new();
    }
    let shape = operation.result_shape();
    let described = |name: &str| shape.is_some_and(|shape| shape.fields.contains_key(name));
    let mut fields = Fields { shows: &operation.shows, found: Vec::new() };
    for (name, sent) in inputs.iter().filter(|(name, _)| is_compared(operation, name)) {
        let input = operation.input(name).map(|input| input.shape);
        match record.get(name) {
            // Of a new record, an API chooses what is left empty; an update that empties a field is one.
            Some(got) if is_nothing(sent) => {
                let is_left = says_something(got) && !got.is_array() && !got.is_object();
                let is_emptied = updates && !named.is_empty();
                fields.add_if(is_left && is_emptied, name, sent, got);
            }
            Some(got) => fields.compare(name, sent, got, input),
            None if operation.shows.whole && described(name) && says_something(sent) => {
                fields.add(name, sent, &Value::Null);
            }
            None => {}
        }
    }
    fields.found
}

fn is_compared(operation: &Operation, name: &str) -> bool {
    let plain = name.to_lowercase().replace(['_', '-'], "");
    let whole = operation.body.as_ref().is_some_and(|body| body.whole.is_some());
    !whole
        && !operation.parameters.contains_key(name)
        && !operation.shows.aside.iter().any(|aside| aside == name)
        && !operation.read_back.iter().any(|list| list.input == name)
        && !WRITE_ONLY.iter().any(|word| plain.contains(word))
}

/// A value that an API would not leave out of a record.
fn says_something(sent: &Value) -> bool {
    !is_nothing(sent) && !matches!(sent, Value::Bool(false)) && sent.as_f64() != Some(0.0)
}

/// Of an operation that adds to a list, or takes out of it, and whose answer shows the whole list.
fn list_difference(
    operation: &Operation,
    inputs: &Map<String, Value>,
    body: &Value,
    list: &str,
    adds: bool,
) -> Option<Difference> {
    let sent = inputs.get(list).filter(|_| operation.shows.whole)?;
    let items = sent.as_array().map_or(std::slice::from_ref(sent), Vec::as_slice);
    let in_result = || path::read_first(body, &operation.result).filter(Value::is_array);
    let got = body.get(list).filter(|got| got.is_array()).cloned().or_else(in_result)?;
    let caseless = operation.shows.is_caseless(list);
    let is_shown = |item: &Value| {
        let shown = got.as_array().into_iter().flatten();
        shown.clone().any(|shown| compare_items(item, shown, caseless).is_same())
    };
    let right = if adds { items.iter().all(is_shown) } else { !items.iter().any(is_shown) };
    (!right).then(|| Difference { field: list.to_owned(), sent: sent.clone(), got })
}
