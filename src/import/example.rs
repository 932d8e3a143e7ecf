//! Example inputs for a snippet that validates.

use serde_json::{Map, Value, json};

use crate::catalog::Operation;
use crate::value::{Kind, Shape};

/// Adds missing required inputs to the operation's example, except those provided by a connection or by paging.
pub(super) fn complete(operation: &mut Operation, filled: &[String]) {
    let paging: Vec<String> =
        operation.list.iter().flat_map(|list| list.paging.inputs()).map(str::to_owned).collect();
    let inputs: Vec<(String, Shape)> =
        operation.inputs().into_iter().map(|input| (input.name.to_owned(), input.shape.clone())).collect();
    for (name, shape) in &inputs {
        let ours = paging.contains(name) || filled.contains(name);
        if shape.required && !ours && !operation.example.contains_key(name) {
            operation.example.insert(name.clone(), value(name, shape, 0));
        }
    }
    let chosen = operation.one_of.iter().any(|name| operation.example.contains_key(name));
    if let (false, Some(first)) = (chosen, operation.one_of.first().cloned())
        && let Some((name, shape)) = inputs.into_iter().find(|(name, _)| *name == first)
    {
        let value = value(&name, &shape, 0);
        operation.example.insert(name, value);
    }
}

/// A plausible value of this shape for a field of this name.
fn value(name: &str, shape: &Shape, depth: usize) -> Value {
    if let Some(first) = shape.values.first() {
        return first.clone();
    }
    if let Some(first) = shape.any_of.first() {
        return value(name, first, depth + 1);
    }
    match shape.kind {
        Kind::Any | Kind::String => Value::String(text(name, shape.format.as_deref())),
        Kind::Integer | Kind::Number => {
            json!(10.min(shape.maximum.unwrap_or(10)).max(shape.minimum.unwrap_or(0)))
        }
        Kind::Boolean => json!(true),
        Kind::Array => match &shape.items {
            Some(items) if depth < 8 => json!([value(name.trim_end_matches('s'), items, depth + 1)]),
            _ => json!([]),
        },
        Kind::Object if depth < 8 => {
            let required = shape.fields.iter().filter(|(_, field)| field.required);
            Value::Object(
                required.map(|(name, field)| (name.clone(), value(name, field, depth + 1))).collect(),
            )
        }
        Kind::Object => Value::Object(Map::new()),
    }
}

fn text(name: &str, format: Option<&str>) -> String {
    let lower = name.to_lowercase();
    match format {
        Some("date-time") => return "2026-12-01T10:00:00Z".into(),
        Some("date") => return "2026-12-01".into(),
        Some("binary") => return "file.pdf".into(),
        Some("uri" | "url") => return "https://example.com".into(),
        _ => {}
    }
    if lower.ends_with("id") && lower.len() > 2 {
        return format!("{}-1", name[..name.len() - 2].trim_end_matches('_').to_lowercase());
    }
    match lower.as_str() {
        "id" => "record-1".into(),
        _ if lower.contains("email") => "ada@example.com".into(),
        _ if lower.contains("phone") => "+15550100100".into(),
        _ if lower.contains("url") || lower.contains("website") => "https://example.com".into(),
        _ if lower.contains("date") || lower.ends_with("time") || lower.ends_with("at") => {
            "2026-12-01T10:00:00Z".into()
        }
        _ if lower.contains("currency") => "USD".into(),
        _ => lower,
    }
}
