//! Sample values of a shape, for answers and requests that `sandbox.yaml` does not describe.

use serde_json::{Map, Value, json};

use crate::value::{Kind, Shape};

/// Maximum depth of nested shapes, which may be recursive.
const DEPTH: usize = 6;

/// A value of `shape` with all known fields.
pub(super) fn sample(shape: &Shape) -> Value {
    make("", shape, DEPTH, false)
}

/// A value of `shape` with the required fields only. `name` is that of its field.
pub(super) fn smallest(name: &str, shape: &Shape) -> Value {
    make(name, shape, DEPTH, true)
}

fn make(name: &str, shape: &Shape, depth: usize, only_required: bool) -> Value {
    if let Some(value) = shape.values.first() {
        return value.clone();
    }
    if let Some(shape) = shape.any_of.first() {
        return make(name, shape, depth, only_required);
    }
    match shape.kind {
        Kind::Any => Value::Null,
        Kind::String => text(name, shape.format.as_deref()),
        Kind::Integer => json!(shape.maximum.map_or(1, |maximum| maximum.min(1))),
        Kind::Number => json!(1),
        Kind::Boolean => json!(true),
        Kind::Array => match &shape.items {
            Some(items) if depth > 0 => json!([make(name, items, depth - 1, only_required)]),
            _ => json!([]),
        },
        Kind::Object if depth == 0 => json!({}),
        Kind::Object => {
            let wanted = shape.fields.iter().filter(|(_, shape)| shape.required || !only_required);
            let fields =
                wanted.map(|(name, shape)| (name.clone(), make(name, shape, depth - 1, only_required)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
    }
}

fn text(name: &str, format: Option<&str>) -> Value {
    let lower = name.to_lowercase();
    Value::from(match format {
        Some("date-time") => "2026-11-02T09:00:00.000Z",
        Some("date") => "2026-11-02",
        Some("email") => "someone@example.com",
        Some("uri" | "url") => "https://example.com/",
        _ if lower.ends_with("email") => "someone@example.com",
        _ if lower.ends_with("phone") => "+447700900123",
        _ if lower.ends_with("date") || lower.ends_with("time") || lower.ends_with("at") => {
            "2026-11-02T09:00:00.000Z"
        }
        _ if lower.ends_with("id") => "sandbox0000000000001",
        _ => "text",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fits_its_own_shape() {
        let shape: Shape = serde_yaml::from_str(
            "{ type: object, fields: { id: { type: string, required: true }, n: { type: integer, maximum: 0 }, kind: { type: string, enum: [a, b] }, list: { type: array, items: { type: object, fields: { at: { type: string, format: date-time } } } } } }",
        )
        .expect("a shape");
        assert!(shape.check(&sample(&shape), &|_| false).is_empty());
        let smallest = smallest("", &shape);
        assert_eq!(smallest.as_object().map(Map::len), Some(1));
    }
}
