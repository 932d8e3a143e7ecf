//! `log`: adds a line to the history; the recorder also writes it to the log.

use serde_json::json;

use crate::run::{Entry, StepKey};
use crate::value::{Map, Value};

/// The line, and the step's success.
pub(in crate::run) fn entries(step: &StepKey, inputs: &Map<String, Value>) -> Result<Vec<Entry>, String> {
    let message = match inputs.get("message") {
        None => return Err("`message` is missing".into()),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let level = match inputs.get("level").and_then(Value::as_str) {
        None => "info",
        Some(level @ ("info" | "warn" | "error")) => level,
        Some(other) => return Err(format!("`level` must be info, warn or error, not {other}")),
    };
    let result = json!({ "message": message });
    Ok(vec![
        Entry::Remark { level: level.to_owned(), message },
        Entry::StepSucceeded {
            step: step.clone(),
            attempt: 1,
            result: result.into(),
            known_by: None,
            truncated: false,
        },
    ])
}
