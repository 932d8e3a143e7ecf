//! Conditions on records.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::template::as_text;
use super::time;

/// How a condition compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Operator {
    /// Equal to the value.
    Equal,
    /// Not equal.
    NotEqual,
    /// Its text, or an item of it, contains the value.
    Contains,
    /// Does not contain.
    NotContains,
    /// Its text begins with the value.
    StartsWith,
    /// Present and not empty.
    Exists,
    /// Missing or empty.
    NotExists,
    /// Within bounds.
    Range,
}

/// A bound of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Bound {
    /// More than it.
    Above,
    /// At least it.
    From,
    /// Less than it.
    Below,
    /// At most it.
    To,
}

/// A condition on a record.
#[derive(Debug, Clone)]
pub(super) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Equal(String, Value),
    Contains(String, String),
    StartsWith(String, String),
    Exists(String),
    Bounded(String, Bound, SortKey),
}

/// Returns a record's field.
pub(super) type Lookup<'a> = dyn FnMut(&str) -> Option<Value> + 'a;

impl Condition {
    /// Whether the record with the fields of `lookup` matches.
    pub(super) fn fits(&self, lookup: &mut Lookup<'_>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.fits(lookup)),
            Self::Any(parts) => parts.iter().any(|part| part.fits(lookup)),
            Self::Not(part) => !part.fits(lookup),
            Self::Equal(field, wanted) => equal(&lookup(field).unwrap_or(Value::Null), wanted),
            Self::Contains(field, words) => {
                lookup(field).is_some_and(|value| any_text(&value, &|text| text.contains(words.as_str())))
            }
            Self::StartsWith(field, words) => {
                lookup(field).is_some_and(|value| any_text(&value, &|text| text.starts_with(words.as_str())))
            }
            Self::Exists(field) => lookup(field).is_some_and(|value| !is_empty(&value)),
            Self::Bounded(field, bound, limit) => {
                let Some(key) = lookup(field).as_ref().and_then(SortKey::from_value) else { return false };
                match bound {
                    Bound::Above => key > *limit,
                    Bound::From => key >= *limit,
                    Bound::Below => key < *limit,
                    Bound::To => key <= *limit,
                }
            }
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn any_text(value: &Value, test: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| any_text(item, test)),
        other => as_text(other).is_some_and(|text| test(&text.to_lowercase())),
    }
}

/// Equality as APIs apply it to query parameters: numbers and flags may be text, a list matches if one item does.
fn equal(value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (_, Value::Array(wanted)) => wanted.iter().any(|wanted| equal(value, wanted)),
        (Value::Array(members), _) => members.iter().any(|member| equal(member, wanted)),
        _ => value == wanted || matches!((as_text(value), as_text(wanted)), (Some(a), Some(b)) if a == b),
    }
}

/// The index keys of `value`: one for a scalar, each item's for a list.
pub(super) fn words(value: &Value) -> Vec<Cow<'_, str>> {
    match value {
        Value::Array(members) => members.iter().flat_map(words).collect(),
        other => as_text(other).into_iter().collect(),
    }
}

/// A sort key. Times in any notation are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum SortKey {
    Number(i64),
    Text(Box<str>),
}

impl SortKey {
    /// The key of a record's field.
    pub(super) fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => {
                // Only the order matters; fractions are ignored.
                #[expect(clippy::cast_possible_truncation)]
                let number = number.as_i64().or_else(|| number.as_f64().map(|number| number as i64));
                number.map(Self::Number)
            }
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => {
                Some(time::parse(text).map_or_else(|| Self::Text(text.to_lowercase().into()), Self::Number))
            }
            Value::Bool(flag) => Some(Self::Number(i64::from(*flag))),
            _ => None,
        }
    }

    /// The key as shown in a cursor.
    pub(super) fn shown(&self) -> Value {
        match self {
            Self::Number(number) => Value::from(*number),
            Self::Text(text) => Value::from(&**text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fits(condition: &Condition, record: &Value) -> bool {
        condition.fits(&mut |name| record.get(name).cloned())
    }

    #[test]
    fn compares_like_a_query_string() {
        let record = json!({ "n": 3, "tags": ["a", "b"], "flag": true, "name": "Amelia" });
        let equal = |field: &str, wanted: Value| fits(&Condition::Equal(field.into(), wanted), &record);
        assert!(equal("n", json!("3")) && equal("tags", json!("b")) && equal("flag", json!("true")));
        assert!(equal("name", json!(["x", "Amelia"])) && !equal("name", json!("amelia")));
        assert!(fits(&Condition::Contains("name".into(), "mel".into()), &record));
    }

    #[test]
    fn times_compare_across_notations() {
        let record = json!({ "at": "2026-11-02T09:00:00Z" });
        let limit = SortKey::from_value(&json!("2026-11-02")).unwrap();
        assert!(fits(&Condition::Bounded("at".into(), Bound::Above, limit.clone()), &record));
        assert!(!fits(&Condition::Bounded("at".into(), Bound::To, limit.clone()), &record));
        assert!(!fits(&Condition::Bounded("gone".into(), Bound::From, limit), &record));
    }
}
