//! Corrects values that only have the wrong type: `"100"` where a number is wanted, `7` where an id is
//! text. Only lossless conversions are made; validation reports the rest.

use serde_json::{Map, Number, Value};

use crate::value::{Kind, Shape};

/// `value` converted to what `shape` wants, where that loses nothing.
pub(super) fn coerce(value: Value, shape: &Shape) -> Value {
    if value.is_null() {
        return value;
    }
    if !shape.any_of.is_empty() {
        return coerce_any(value, &shape.any_of);
    }
    match (shape.kind, value) {
        (Kind::String, Value::Number(number)) => Value::String(number.to_string()),
        (Kind::String, Value::Bool(flag)) => Value::String(flag.to_string()),
        (Kind::Integer, Value::String(text)) => {
            text.trim().parse::<i64>().map_or(Value::String(text), Value::from)
        }
        (Kind::Integer, Value::Number(number)) => whole(number),
        (Kind::Number, Value::String(text)) => number(&text).map_or(Value::String(text), Value::Number),
        (Kind::Boolean, Value::String(text)) => match text.trim() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => Value::String(text),
        },
        (Kind::Array, Value::Array(items)) => match &shape.items {
            Some(item) => items.into_iter().map(|value| coerce(value, item)).collect(),
            None => Value::Array(items),
        },
        (Kind::Object, Value::Object(map)) => Value::Object(coerce_fields(map, shape)),
        (_, value) => value,
    }
}

/// The fields of `map` converted to what `shape` wants, each under the name that is sent.
pub(super) fn coerce_fields(map: Map<String, Value>, shape: &Shape) -> Map<String, Value> {
    let given: Vec<String> =
        shape.also.values().filter(|own| map.contains_key(own.as_str())).cloned().collect();
    let coerced = map.into_iter().map(|(name, value)| {
        let value = match shape.field(&name) {
            Some(field) => coerce(value, field),
            None => value,
        };
        match shape.also.get(&name) {
            // A field given under both names keeps both, and validation reports it.
            Some(own) if !given.contains(own) => (own.clone(), value),
            _ => (name, value),
        }
    });
    coerced.collect()
}

fn coerce_any(value: Value, alternatives: &[Shape]) -> Value {
    let fits = |shape: &Shape, value: &Value| shape.check(value, &|_| false).is_empty();
    if alternatives.iter().any(|shape| fits(shape, &value)) {
        return value;
    }
    let coerced = alternatives.iter().find_map(|shape| {
        let changed = coerce(value.clone(), shape);
        fits(shape, &changed).then_some(changed)
    });
    coerced.unwrap_or(value)
}

/// `3.0` as `3`, because some servers refuse a fraction where they want a whole number.
fn whole(number: Number) -> Value {
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 9e15 => {
            Value::from(float as i64)
        }
        _ => Value::Number(number),
    }
}

/// The number that `text` represents, if writing it again gives the same text.
fn number(text: &str) -> Option<Number> {
    let text = text.trim();
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let plain = text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-'));
    if !plain || digits > 15 {
        return None;
    }
    Number::from_f64(text.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_loses_nothing() {
        let cases = [
            ("type: string", json!(7), json!("7")),
            ("type: string", json!(true), json!("true")),
            ("type: string", json!([1]), json!([1])),
            ("type: integer", json!("100"), json!(100)),
            ("type: integer", json!("1.5"), json!("1.5")),
            ("type: integer", json!(3.0), json!(3)),
            ("type: number", json!("19.90"), json!(19.9)),
            ("type: number", json!("1e5"), json!("1e5")),
            ("type: number", json!("0.1234567890123456789"), json!("0.1234567890123456789")),
            ("type: boolean", json!("false"), json!(false)),
            ("type: boolean", json!("no"), json!("no")),
            ("type: array\nitems: { type: string }", json!([1, "a"]), json!(["1", "a"])),
            ("any_of: [{ type: integer }, { type: boolean }]", json!("5"), json!(5)),
            ("any_of: [{ type: string }, { type: integer }]", json!("5"), json!("5")),
        ];
        for (shape, value, expected) in cases {
            let shape: Shape = serde_yaml::from_str(shape).unwrap();
            assert_eq!(coerce(value.clone(), &shape), expected, "{value}");
        }
    }

    #[test]
    fn another_name_becomes_the_one_that_is_sent() {
        let shape: Shape = serde_yaml::from_str(
            "{ type: array, items: { type: object, also: { fieldValue: field_value }, fields: { field_value: { type: string } } } }",
        )
        .unwrap();
        let given =
            json!([{ "fieldValue": 3 }, { "field_value": "b" }, { "fieldValue": "c", "field_value": "d" }]);
        let sent = json!([{ "field_value": "3" }, { "field_value": "b" }, { "fieldValue": "c", "field_value": "d" }]);
        assert_eq!(coerce(given, &shape), sent);
    }

    #[test]
    fn null_stays_null() {
        let shape: Shape = serde_yaml::from_str(
            "type: object\nfields: { a: { type: string }, b: { type: string, nullable: true }, c: { type: string, required: true } }",
        )
        .unwrap();
        let given = json!({ "a": null, "b": null, "c": null });
        assert_eq!(coerce(given.clone(), &shape), given);
    }
}
