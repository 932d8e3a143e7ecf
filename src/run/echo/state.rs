//! What is known of the fields of a record that a recipe watches, from what it was last told and from what hob wrote.

use super::same::is_same;
use crate::value::{Map, Value};

/// A field of a record, as the names that lead to it.
pub type FieldPath = Vec<String>;

/// What hob did to a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Made it, with these fields.
    Created(Map<String, Value>),
    /// Gave these fields their values.
    Fields(Map<String, Value>),
    /// Added to a list.
    Added(String, Vec<Value>),
    /// Took out of a list.
    Removed(String, Vec<Value>),
    /// Deleted it.
    Deleted,
}

/// What is known of the watched fields, in their order. Of a field of which nothing is known there is no value; of
/// one that hob wrote there are the value that was sent and the one that the answer showed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known(Vec<Vec<Value>>);

impl Known {
    /// Nothing is.
    pub(super) fn nothing(watched: &[FieldPath]) -> Self {
        Self(vec![Vec::new(); watched.len()])
    }

    /// The fields of `record`.
    pub(super) fn of(watched: &[FieldPath], record: &Value) -> Self {
        Self(watched.iter().map(|path| vec![at(record, path)]).collect())
    }

    /// After hob did `effect`, whose answer showed `answer`.
    pub(super) fn after(&self, watched: &[FieldPath], effect: &Effect, answer: &Value) -> Self {
        let change = |(path, before): (&FieldPath, &Vec<Value>)| match effect {
            Effect::Created(sent) => written(sent, answer, path).unwrap_or_else(|| vec![at(answer, path)]),
            Effect::Fields(sent) => written(sent, answer, path).unwrap_or_else(|| before.clone()),
            Effect::Added(list, items) if path.first() == Some(list) => {
                before.iter().map(|value| added(value, items)).collect()
            }
            Effect::Removed(list, items) if path.first() == Some(list) => {
                before.iter().map(|value| removed(value, items)).collect()
            }
            Effect::Added(..) | Effect::Removed(..) | Effect::Deleted => before.clone(),
        };
        Self(watched.iter().zip(&self.0).map(change).collect())
    }

    /// Whether the watched field of this number may be `value`.
    pub(super) fn holds(&self, index: usize, value: &Value) -> bool {
        self.0.get(index).is_some_and(|known| known.iter().any(|known| is_same(known, value)))
    }

    /// Whether all watched fields of `record` are known to be as they are.
    pub(super) fn explains(&self, watched: &[FieldPath], record: &Value) -> bool {
        watched.iter().enumerate().all(|(index, path)| self.holds(index, &at(record, path)))
    }
}

impl Effect {
    /// Whether it wrote the field.
    pub(super) fn touches(&self, path: &FieldPath) -> bool {
        match self {
            Effect::Created(_) => true,
            Effect::Fields(sent) => path.first().is_some_and(|name| sent.contains_key(name)),
            Effect::Added(list, _) | Effect::Removed(list, _) => path.first() == Some(list),
            Effect::Deleted => false,
        }
    }
}

/// The value of the field; null where there is none.
pub(super) fn at(record: &Value, path: &FieldPath) -> Value {
    let found = path.iter().try_fold(record, |value, name| value.get(name));
    found.cloned().unwrap_or_default()
}

/// The values that a field may have after it was sent; `None` if it was not.
fn written(sent: &Map<String, Value>, answer: &Value, path: &FieldPath) -> Option<Vec<Value>> {
    let (first, rest) = path.split_first()?;
    let value = at(sent.get(first)?, &rest.to_vec());
    let shown = at(answer, path);
    // An answer shows the whole of a list or a mapping, and others may have written the rest of it.
    let is_whole = match (&value, &shown) {
        (_, Value::Null) => false,
        (Value::Array(sent), Value::Array(shown)) => sent.len() == shown.len(),
        (Value::Object(sent), Value::Object(shown)) => shown.keys().all(|name| sent.contains_key(name)),
        (Value::Array(_) | Value::Object(_), _) | (_, Value::Array(_) | Value::Object(_)) => false,
        _ => true,
    };
    Some(if is_whole { vec![value, shown] } else { vec![value] })
}

fn added(before: &Value, items: &[Value]) -> Value {
    let mut all = before.as_array().cloned().unwrap_or_default();
    for item in items {
        if !all.iter().any(|known| is_same(known, item)) {
            all.push(item.clone());
        }
    }
    Value::Array(all)
}

fn removed(before: &Value, items: &[Value]) -> Value {
    let mut all = before.as_array().cloned().unwrap_or_default();
    all.retain(|known| !items.iter().any(|item| is_same(known, item)));
    Value::Array(all)
}
