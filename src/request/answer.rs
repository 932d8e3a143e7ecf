//! A successful answer, and the part of it that later steps see.

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde_json::Value;

use crate::catalog::{Operation, path};
use crate::printable::line;

/// Maximum length, in characters, of a field name quoted in a message.
const QUOTED: usize = 100;

/// A successful answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers with lower-case names; the values of a repeated header are joined by `, `.
    pub headers: IndexMap<String, String>,
    /// JSON as received, other text as a string, an empty body as null. For a download: `{file, bytes, media_type}`.
    pub body: Value,
    /// Time at which the answer was complete.
    pub received: DateTime<Utc>,
}

/// The result of `operation` in its answer's `body`. With `pick`, the value it finds, or `Err` when it finds nothing.
/// Otherwise the whole value for a download, or the value at the operation's result path, or the whole body when
/// nothing is there; null where a read finds nothing.
pub fn result(operation: &Operation, body: &Value, pick: Option<&str>) -> Result<Value, String> {
    match pick {
        Some(pick) => path::read(body, pick)
            .ok_or_else(|| format!("`pick: {pick}` finds nothing in the answer ({})", outline(body))),
        None if operation.download.is_some() => Ok(body.clone()),
        None => Ok(path::read_first(body, &operation.result).unwrap_or_else(|| {
            match found_nothing(operation, body) {
                true => Value::Null,
                false => body.clone(),
            }
        })),
    }
}

/// Whether a read of one record says that there is none.
fn found_nothing(operation: &Operation, body: &Value) -> bool {
    let is_null = |path: &String| path::read(body, path).is_some_and(|value| value.is_null());
    operation.may_find_nothing() && operation.result.iter().any(is_null)
}

/// Like [`result`], but moves the value out of the answer instead of copying it where the path is simple.
pub fn take_result(operation: &Operation, body: Value, pick: Option<&str>) -> Result<Value, String> {
    let only = match (pick, operation.result.as_slice()) {
        (Some(pick), _) => pick,
        (None, [only]) => only,
        _ => return result(operation, &body, pick),
    };
    path::take(body, only).or_else(|body| result(operation, &body, pick))
}

fn outline(body: &Value) -> String {
    match body {
        Value::Object(map) if map.is_empty() => "an empty object".into(),
        Value::Object(map) => {
            let names: Vec<String> = map.keys().take(12).map(|name| line(name, QUOTED)).collect();
            format!("an object with {}", names.join(", "))
        }
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Null => "it is empty".into(),
        _ => "a single value".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn result_path_pick_and_whole() {
        let mut operation: Operation =
            serde_yaml::from_str("title: t\nsummary: s\nkinds: [action]\nresult: [$.contact]").unwrap();
        let body = json!({ "contact": { "id": "c1" }, "new": true });
        assert_eq!(result(&operation, &body, None), Ok(json!({ "id": "c1" })));
        assert_eq!(result(&operation, &body, Some("$")), Ok(body.clone()));
        assert_eq!(result(&operation, &json!({ "other": 1 }), None), Ok(json!({ "other": 1 })));
        assert!(result(&operation, &body, Some("$.x")).unwrap_err().contains("contact, new"));
        for pick in [None, Some("$.contact.id"), Some("$.x"), Some("$")] {
            assert_eq!(take_result(&operation, body.clone(), pick), result(&operation, &body, pick));
        }
        let null = json!({ "contact": null, "new": true });
        assert_eq!(result(&operation, &null, None), Ok(null.clone()), "it should be there");
        let found = "title: t\nsummary: s\nkinds: [action]\nresult: [$.contact]\nlist: { items: [$.contact] }\nresponse: { type: object, fields: { contact: { type: object, nullable: true } } }";
        let found: Operation = serde_yaml::from_str(found).unwrap();
        assert_eq!(take_result(&found, null, None), Ok(Value::Null), "nobody was found");
        operation.result.clear();
        assert_eq!(result(&operation, &body, None), Ok(body));
    }
}
