//! The known values of a record's watched fields, from earlier events and hob's writes.

use crate::value::{Map, Value, is_same};

/// A field of a record, as the path of names.
pub type FieldPath = Vec<String>;

/// hob's effect on a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Created it with these fields.
    Created(Map<String, Value>),
    /// Set these fields.
    Fields(Map<String, Value>),
    /// Added to a list.
    Added(String, Vec<Value>),
    /// Removed from a list.
    Removed(String, Vec<Value>),
    /// Deleted it.
    Deleted,
}

/// The known values of the watched fields, in order. An unknown field has no value; a field that hob wrote has the
/// value that was sent and the one in the answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known(Vec<Vec<Value>>);

impl Known {
    /// Nothing is known.
    pub(super) fn nothing(watched: &[FieldPath]) -> Self {
        Self(vec![Vec::new(); watched.len()])
    }

    /// The fields of `record`.
    pub(super) fn of(watched: &[FieldPath], record: &Value) -> Self {
        Self(watched.iter().map(|path| vec![at(record, path)]).collect())
    }

    /// The values after `effect`, whose answer was `answer`.
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

    /// Whether the watched field `index` may be `value`.
    pub(super) fn holds(&self, index: usize, value: &Value) -> bool {
        self.0.get(index).is_some_and(|known| known.iter().any(|known| is_same(known, value)))
    }

    /// Whether all watched fields of `record` have known values.
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

/// The value of the field; null if missing.
pub(super) fn at(record: &Value, path: &FieldPath) -> Value {
    found(record, path).cloned().unwrap_or_default()
}

/// The value of the field, if it is there.
fn found<'a>(record: &'a Value, path: &FieldPath) -> Option<&'a Value> {
    path.iter().try_fold(record, |value, name| value.get(name))
}

/// The possible values of a field after a write; `None` if it was not sent.
fn written(sent: &Map<String, Value>, answer: &Value, path: &FieldPath) -> Option<Vec<Value>> {
    let (first, rest) = path.split_first()?;
    let value = at(sent.get(first)?, &rest.to_vec());
    let Some(shown) = found(answer, path) else { return Some(vec![value]) };
    // An answer contains a whole list or mapping, of which others may have written the rest. One that shows null says that
    // the value was dropped.
    let is_whole = match (&value, shown) {
        (_, Value::Null) => true,
        (Value::Array(sent), Value::Array(shown)) => sent.len() == shown.len(),
        (Value::Object(sent), Value::Object(shown)) => shown.keys().all(|name| sent.contains_key(name)),
        (Value::Array(_) | Value::Object(_), _) | (_, Value::Array(_) | Value::Object(_)) => false,
        _ => true,
    };
    Some(if is_whole { vec![value, shown.clone()] } else { vec![value] })
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
