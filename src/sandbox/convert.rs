//! Conversion between JSON and values of the template engine.

use std::sync::Arc;

use minijinja::Value as Any;
use minijinja::value::{Object, ValueKind};
use serde_json::{Map, Value};

/// JSON as a value of the engine.
pub(super) fn any(value: &Value) -> Any {
    match value {
        Value::Null => Any::from(()),
        Value::Bool(flag) => Any::from(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Any::from(whole),
            None => Any::from(number.as_f64().unwrap_or(f64::MAX)),
        },
        Value::String(text) => Any::from(text.as_str()),
        Value::Array(items) => items.iter().map(any).collect(),
        Value::Object(fields) => any_map(fields),
    }
}

/// A record as a value of the engine.
pub(super) fn any_map(fields: &Map<String, Value>) -> Any {
    Any::from_pairs(fields.iter().map(|(name, value)| (name.as_str(), any(value))))
}

/// A record whose fields are converted on demand.
#[derive(Debug)]
struct Lazy(Arc<Map<String, Value>>);

impl Object for Lazy {
    fn get_value(self: &Arc<Self>, key: &Any) -> Option<Any> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Any> {
        self.0.get(key).map(any)
    }
}

/// A record as a value of the engine, for reading a few of its fields.
pub(super) fn any_lazy(fields: &Arc<Map<String, Value>>) -> Any {
    Any::from_object(Lazy(Arc::clone(fields)))
}

/// The engine's value as JSON; `None` for undefined values and functions.
pub(super) fn json(value: &Any) -> Option<Value> {
    Some(match value.kind() {
        ValueKind::None => Value::Null,
        ValueKind::Bool => Value::Bool(value.is_true()),
        ValueKind::Number => match i64::try_from(value.clone()) {
            Ok(whole) if value.is_integer() => Value::from(whole),
            _ => Value::from(f64::try_from(value.clone()).ok()?),
        },
        ValueKind::String => Value::from(value.as_str()?),
        ValueKind::Seq | ValueKind::Iterable => {
            value.try_iter().ok()?.filter_map(|item| json(&item)).collect()
        }
        ValueKind::Map => {
            let mut fields = Map::new();
            for key in value.try_iter().ok()? {
                if let Some(field) = value.get_item(&key).ok().as_ref().and_then(json) {
                    fields.insert(key.to_string(), field);
                }
            }
            Value::Object(fields)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn there_and_back_is_the_same() {
        let value = json!({ "b": [1, 2.5, null, true, "x"], "a": { "deep": [] } });
        assert_eq!(super::json(&any(&value)), Some(value));
        assert_eq!(super::json(&Any::UNDEFINED), None);
    }
}
