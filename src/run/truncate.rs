//! Limits the size of stored values. Values that a later step reads are stored whole; others are for people only.

use std::sync::Arc;

use super::entry::{Entry, StepError, StepKey};
use super::status::Status;
use crate::check::StepReads;
use crate::recipe::Action;
use crate::value::{Value, beginning};

/// Longest stored text of inputs, and of results that nothing reads, in bytes.
const MAX_TEXT: usize = 16 << 10;
/// Largest stored value of that kind, in bytes of its texts and numbers.
const MAX_SIZE: usize = 256 << 10;

impl Entry {
    /// The entry with oversized values cut, except those that the recipe `reads`.
    pub fn truncated(mut self, reads: &StepReads) -> Self {
        match &mut self {
            Entry::Intent { inputs, .. } | Entry::StepFailed { read: Some(inputs), .. } => truncate(inputs),
            Entry::NotKept { fields, .. } => {
                fields
                    .iter_mut()
                    .for_each(|field| [&mut field.sent, &mut field.got].into_iter().for_each(truncate));
            }
            Entry::StepSucceeded { step, result, truncated, .. }
                if size(result, MAX_SIZE) > MAX_SIZE && !is_read(step, reads) =>
            {
                truncate(Arc::make_mut(result));
                *truncated = true;
            }
            _ => {}
        }
        self
    }
}

/// Whether a later step may read the result of `step`. The hydration's result is the event.
fn is_read(step: &StepKey, reads: &StepReads) -> bool {
    step.is_hydrate() || reads.contains(&step.action)
}

/// The error of a step of `recipe` that reads a cut result.
pub(super) fn truncated_read(status: &Status, action: &Action) -> Option<StepError> {
    if status.truncated.is_empty() {
        return None;
    }
    let reads = StepReads::from_action(action);
    let step = status.truncated.iter().find(|step| reads.contains(&step.action))?;
    let help = "do everything again with `hob runs retry RUN --from-start`";
    let message = format!(
        "it reads the result of step `{step}`, which was larger than {} KiB and was not kept, because the recipe \
         did not read it when that step was done",
        MAX_SIZE >> 10
    );
    Some(StepError { help: Some(help.to_owned()), ..StepError::new(message) })
}

/// Cuts oversized values.
pub(super) fn truncate(value: &mut Value) {
    cut_texts(value);
    if size(value, MAX_SIZE) > MAX_SIZE {
        *value = Value::String(format!("(more than {} KiB, not kept)", MAX_SIZE >> 10));
    }
}

fn cut_texts(value: &mut Value) {
    match value {
        Value::String(text) if text.len() > MAX_TEXT => {
            *text = beginning(text, MAX_TEXT);
        }
        Value::Array(items) => items.iter_mut().for_each(cut_texts),
        Value::Object(fields) => fields.values_mut().for_each(cut_texts),
        _ => {}
    }
}

/// The approximate size of a value; stops counting above `enough`.
fn size(value: &Value, enough: usize) -> usize {
    /// The size of a number, a quote or a comma.
    const SMALL: usize = 4;
    let sum = |sizes: &mut dyn Iterator<Item = usize>| {
        let mut sum = SMALL;
        for size in sizes {
            sum += size;
            if sum > enough {
                break;
            }
        }
        sum
    };
    match value {
        Value::String(text) => text.len() + SMALL,
        Value::Array(items) => sum(&mut items.iter().map(|item| size(item, enough))),
        Value::Object(fields) => {
            sum(&mut fields.iter().map(|(name, value)| name.len() + SMALL + size(value, enough)))
        }
        _ => SMALL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::testing::recipe;
    use serde_json::json;

    fn intent(inputs: Value) -> Value {
        let step = StepKey::new("a");
        let entry = Entry::Intent { step, attempt: 1, operation: "o".into(), inputs };
        match entry.truncated(&StepReads::default()) {
            Entry::Intent { inputs, .. } => inputs,
            _ => unreachable!(),
        }
    }

    /// The stored result of `step`, and whether it was cut.
    fn result(step: &str, result: Value, message: &str) -> (Value, bool) {
        let recipe = recipe(&format!("actions: [{{ do: log, with: {{ message: \"{message}\" }} }}]\n"));
        let step = StepKey::new(step);
        let entry = Entry::StepSucceeded {
            step,
            attempt: 1,
            result: result.into(),
            known_by: None,
            truncated: false,
        };
        match entry.truncated(&StepReads::from_recipe(recipe.recipe())) {
            Entry::StepSucceeded { result, truncated, .. } => (Value::clone(&result), truncated),
            _ => unreachable!(),
        }
    }

    #[test]
    fn sent_inputs_are_stored_in_part() {
        let small = json!({ "list": [1, 2.5, null], "text": "x".repeat(MAX_TEXT) });
        assert_eq!(intent(small.clone()), small);
        let cut = intent(json!({ "body": "ü".repeat(MAX_TEXT) }));
        let text = cut["body"].as_str().unwrap();
        assert!(text.len() < MAX_TEXT + 50 && text.ends_with("ü… (32 KiB in all)"), "{}", text.len());
        assert_eq!(intent(json!(vec!["x".repeat(1000); 1000])), "(more than 256 KiB, not kept)");
    }

    #[test]
    fn results_that_are_read_later_are_stored_whole() {
        let big = json!(vec!["x".repeat(1000); 1000]);
        assert_eq!(result("log-1", big.clone(), "{{ steps | length }}"), (big.clone(), false));
        assert_eq!(result("(hydrate)", big.clone(), "m"), (big.clone(), false), "the event itself");
        let (kept, truncated) = result("log-1", big, "m");
        assert!(kept.is_string() && truncated);
        let small = json!({ "id": "x" });
        assert_eq!(result("log-1", small.clone(), "m"), (small, false));
    }
}
