//! Corrections: JSON merge patches (RFC 7396) with knowledge of shapes.
//!
//! Two deviations from the RFC: a patch with another `type` replaces the shape, so that nothing of the wrong type
//! remains; and some keys are replaced as a whole.

use serde_json::{Map, Value};

use crate::value::Shape;

/// Keys whose value is replaced instead of merged.
const WHOLE: [&str; 7] =
    ["paging", "newest_first", "newest_created_first", "probe", "example", "composite", "entries"];

/// Applies `patch` to `target`.
pub(super) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() || is_another_type(target, changes) {
        let required = target.get("required").cloned();
        *target = Value::Object(Map::new());
        if let (Some(required), Value::Object(object)) = (required.filter(Value::is_boolean), &mut *target) {
            object.insert("required".into(), required);
        }
    }
    let Value::Object(object) = target else { return };
    for (key, change) in changes {
        if change.is_null() {
            object.shift_remove(key);
        } else if WHOLE.contains(&key.as_str()) {
            object.insert(key.clone(), change.clone());
        } else {
            merge(object.entry(key.clone()).or_insert(Value::Null), change);
        }
    }
}

fn is_another_type(target: &Value, changes: &Map<String, Value>) -> bool {
    match (target.get("type"), changes.get("type")) {
        (Some(Value::String(now)), Some(Value::String(new))) => now != new,
        _ => false,
    }
}

/// Applies `patch` to `shape`; returns it unchanged if the result would be invalid.
pub(super) fn shape(shape: Shape, patch: &Value) -> Shape {
    let Ok(mut value) = serde_json::to_value(&shape) else { return shape };
    merge(&mut value, patch);
    serde_json::from_value(value).unwrap_or(shape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn merges_removes_and_replaces() {
        let mut value =
            json!({ "a": 1, "list": { "id": ["id"], "paging": { "style": "page", "size": 10 } } });
        merge(&mut value, &json!({ "a": null, "list": { "paging": { "style": "none" } }, "b": [1] }));
        assert_eq!(value, json!({ "list": { "id": ["id"], "paging": { "style": "none" } }, "b": [1] }));
    }

    #[test]
    fn another_type_leaves_nothing_behind() {
        let mut value = json!({ "type": "object", "required": true, "fields": { "a": {} } });
        merge(&mut value, &json!({ "type": "string" }));
        assert_eq!(value, json!({ "required": true, "type": "string" }));
    }
}
