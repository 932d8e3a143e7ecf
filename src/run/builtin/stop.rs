//! `stop`: ends the run here, successfully.

use crate::run::{Entry, RunState, StepKey};
use crate::value::{Map, Value};

/// The step's success, and the end of the run.
pub(in crate::run) fn entries(step: &StepKey, inputs: &Map<String, Value>) -> Vec<Entry> {
    let reason = inputs.get("reason").filter(|reason| !reason.is_null()).map(|reason| match reason {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    vec![
        Entry::StepSucceeded {
            step: step.clone(),
            attempt: 1,
            result: Value::Null.into(),
            known_by: None,
            truncated: false,
        },
        Entry::Finished { state: RunState::Succeeded, reason, step: None },
    ]
}
