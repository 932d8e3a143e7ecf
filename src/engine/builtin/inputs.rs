//! Inputs of built-in operations.

use serde_json::{Map, Value};

/// The text under `name`; numbers and flags are accepted as text, as in requests.
pub(super) fn text(inputs: &Map<String, Value>, name: &str) -> Result<String, String> {
    optional_text(inputs, name)?.ok_or_else(|| format!("`{name}` is missing"))
}

/// The same for an optional input.
pub(super) fn optional_text(inputs: &Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    match inputs.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Err(format!("`{name}` is empty")),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(Value::Bool(flag)) => Ok(Some(flag.to_string())),
        Some(other) => Err(format!("`{name}` must be text, not {other}")),
    }
}

/// The flag under `name`; false if it is not given.
pub(super) fn flag(inputs: &Map<String, Value>, name: &str) -> Result<bool, String> {
    match inputs.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(other) => Err(format!("`{name}` must be true or false, not {other}")),
    }
}

/// The name of a link, and the ends that are given: at least one.
pub(super) fn ends(inputs: &Map<String, Value>) -> Result<(String, Option<String>, Option<String>), String> {
    match (text(inputs, "name")?, optional_text(inputs, "from")?, optional_text(inputs, "to")?) {
        (_, None, None) => Err("one of `from` and `to` must be given".to_owned()),
        ends => Ok(ends),
    }
}
