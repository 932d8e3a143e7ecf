//! Descriptions of expected and actual values for messages.

use std::fmt;

use serde_json::Value;

use crate::source::Data;

/// Names in a sentence: `a`, `b` or `c`.
pub(super) struct AnyOf<'a>(pub(super) &'a [&'a str]);

impl fmt::Display for AnyOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted: Vec<String> = self.0.iter().map(|word| format!("`{word}`")).collect();
        f.write_str(&quoted.join(", "))
    }
}

/// The title of a mapping with its article: `a poll trigger`.
pub(super) fn title(schema: &Value) -> String {
    let title = schema.get("title").and_then(Value::as_str).unwrap_or("mapping");
    let article =
        if title.trim_start_matches('`').starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {title}")
}

/// The first example of a field, if it is a plain one.
pub(super) fn example(schema: &Value) -> Option<&str> {
    schema.get("examples")?.get(0)?.as_str()
}

/// What `schema` accepts, in a few words.
pub(super) fn describe(schema: &'static Value, resolve: &dyn Fn(&'static Value) -> &'static Value) -> String {
    let schema = resolve(schema);
    let branches = schema.get("anyOf").or(schema.get("oneOf")).and_then(Value::as_array);
    if let Some(branches) = branches {
        let mut shown: Vec<String> = Vec::new();
        for branch in branches {
            let words = describe(branch, resolve);
            if !shown.contains(&words) {
                shown.push(words);
            }
        }
        return shown.join(" or ");
    }
    if let Some(word) = schema.get("const").and_then(Value::as_str) {
        return format!("`{word}`");
    }
    let scalar = schema.get("type").is_some_and(|kind| kind != "object" && kind != "array");
    if scalar && schema.get("title").is_some() {
        return match example(schema) {
            Some(example) => format!("{} such as `{example}`", title(schema)),
            None => title(schema),
        };
    }
    let kind = schema.get("type").and_then(Value::as_str).unwrap_or_default();
    match kind {
        "object" => match schema.get("required").and_then(|fields| fields.get(0)?.as_str()) {
            Some(field) => format!("a mapping with `{field}`"),
            None => "a mapping".into(),
        },
        "array" => "a list".into(),
        "integer" => "a whole number".into(),
        "number" => "a number".into(),
        "boolean" => "`true` or `false`".into(),
        "string" => "text".into(),
        _ => "any value".into(),
    }
}

/// The actual value, in a few words.
pub(super) fn found(data: &Data) -> String {
    match data {
        Data::Null => "nothing".into(),
        Data::Bool(flag) => format!("`{flag}`"),
        Data::Int(number) => format!("the number {number}"),
        Data::Float(number) => format!("the number {number}"),
        Data::Text(_) => "text".into(),
        Data::List(_) => "a list".into(),
        Data::Map(_) => "a mapping".into(),
    }
}

/// Whether a schema asks for a time with a unit.
fn is_duration(schema: &Value) -> bool {
    let title = schema.get("title").and_then(Value::as_str);
    matches!(title, Some("duration" | "interval"))
}

/// The remedy for a value of another type, if obvious.
pub(super) fn remedy(schema: &Value, data: &Data) -> Option<String> {
    let kind = schema.get("type").and_then(Value::as_str);
    match (kind, data) {
        (_, Data::Null) => Some("give it a value, or leave the line out".into()),
        (Some("string"), Data::Int(number)) if is_duration(schema) => {
            Some(format!("add a unit: `{number}s` or `{number}m`"))
        }
        (Some("string"), Data::Int(_) | Data::Float(_) | Data::Bool(_)) => {
            Some("put it in quotes to make it text".into())
        }
        (Some("array"), Data::Map(_)) => Some("begin each item with `- `".into()),
        _ => None,
    }
}
