//! Truth of values in conditions.

use crate::value::Value;

/// Whether a value counts as true in a condition: everything except `null`, `false`, 0, empty text, list and mapping,
/// and the texts that forms and other apps send for them: `false`, `no`, `off`, `0`, `null` and `none`, ignoring case
/// and surrounding white space.
pub fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => text_holds(text),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

pub(super) fn text_holds(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    !matches!(text.as_str(), "" | "false" | "no" | "off" | "0" | "null" | "none")
}
