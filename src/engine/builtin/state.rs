//! `state.get`, `state.put`: values that persist between runs.

use serde_json::{Map, Value};

use super::inputs::text;
use crate::engine::step_outcome::{StepOutcome, refuse, store_failure};
use crate::journal::{Journal, RESERVED_PREFIX};
use crate::run::StepResult;

pub(super) async fn get(journal: &dyn Journal, inputs: &Map<String, Value>) -> StepOutcome {
    match text(inputs, "key") {
        Err(problem) => refuse(problem),
        Ok(key) => match journal.state(&key).await {
            Ok(value) => {
                let default = || inputs.get("default").cloned().unwrap_or(Value::Null);
                StepResult::Done(value.unwrap_or_else(default)).into()
            }
            Err(error) => store_failure(&error),
        },
    }
}

pub(super) async fn put(journal: &dyn Journal, inputs: &Map<String, Value>) -> StepOutcome {
    let value = inputs.get("value").cloned().ok_or_else(|| "`value` is missing".to_owned());
    let key = text(inputs, "key").and_then(|key| match key.starts_with(RESERVED_PREFIX) {
        true => Err(format!("keys that begin with `{RESERVED_PREFIX}` are hob's own; choose another one")),
        false => Ok(key),
    });
    match key.and_then(|key| Ok((key, value?))) {
        Err(problem) => refuse(problem),
        Ok((key, value)) => match journal.put_state(&key, &value).await {
            Ok(()) => StepResult::Done(value).into(),
            Err(error) => store_failure(&error),
        },
    }
}
