//! How much of a value the history keeps. What a later step reads is kept whole; the rest is there for
//! people, who need no megabytes of it.

use super::entry::Entry;
use crate::value::Value;

/// Longest text that is kept of inputs, and of results that nothing reads, in bytes.
const LONGEST_TEXT: usize = 16 << 10;
/// Largest value of that kind, in bytes of its texts and numbers.
const LARGEST: usize = 256 << 10;

impl Entry {
    /// The entry without what is too long to keep. `recipe` is the recipe's text: what it reads of earlier
    /// steps is kept whole.
    pub fn bounded(mut self, recipe: &str) -> Self {
        match &mut self {
            Entry::Intent { inputs, .. } => bound(inputs),
            Entry::StepSucceeded { step, result, .. }
                if size(result, LARGEST) > LARGEST && !reads(recipe, &step.action) =>
            {
                bound(result);
            }
            _ => {}
        }
        self
    }
}

/// Whether `recipe` may read the result of the step `action`. Reading all steps at once counts.
fn reads(recipe: &str, action: &str) -> bool {
    const STEPS: &str = "steps";
    recipe.match_indices(STEPS).any(|(at, _)| {
        let Some(name) = recipe[at + STEPS.len()..].strip_prefix('.') else { return true };
        name.strip_prefix(action)
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    })
}

/// Cuts what is too long to keep.
pub(super) fn bound(value: &mut Value) {
    cut_texts(value);
    if size(value, LARGEST) > LARGEST {
        *value = Value::String(format!("(more than {} KiB, not kept)", LARGEST >> 10));
    }
}

fn cut_texts(value: &mut Value) {
    match value {
        Value::String(text) if text.len() > LONGEST_TEXT => {
            let whole = text.len();
            let end = (0..=LONGEST_TEXT).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
            text.truncate(end);
            text.push_str(&format!("… ({} KiB in all)", whole >> 10));
        }
        Value::Array(items) => items.iter_mut().for_each(cut_texts),
        Value::Object(fields) => fields.values_mut().for_each(cut_texts),
        _ => {}
    }
}

/// About how large a value is, counted only until it is clear that it is larger than `enough`.
fn size(value: &Value, enough: usize) -> usize {
    /// Of a number, a quote, a comma.
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
    use crate::run::StepKey;
    use serde_json::json;

    fn intent(inputs: Value) -> Value {
        let step = StepKey::of("a");
        let entry = Entry::Intent { step, attempt: 1, operation: "o".into(), inputs };
        match entry.bounded("") {
            Entry::Intent { inputs, .. } => inputs,
            _ => unreachable!(),
        }
    }

    fn result(result: Value, recipe: &str) -> Value {
        let entry = Entry::StepSucceeded { step: StepKey::of("a"), attempt: 1, result, known_by: None };
        match entry.bounded(recipe) {
            Entry::StepSucceeded { result, .. } => result,
            _ => unreachable!(),
        }
    }

    #[test]
    fn what_was_sent_is_kept_as_far_as_people_read() {
        let small = json!({ "list": [1, 2.5, null], "text": "x".repeat(LONGEST_TEXT) });
        assert_eq!(intent(small.clone()), small);
        let cut = intent(json!({ "body": "ü".repeat(LONGEST_TEXT) }));
        let text = cut["body"].as_str().unwrap();
        assert!(text.len() < LONGEST_TEXT + 50 && text.ends_with("ü… (32 KiB in all)"), "{}", text.len());
        assert_eq!(intent(json!(vec!["x".repeat(1000); 1000])), "(more than 256 KiB, not kept)");
    }

    #[test]
    fn what_later_steps_read_is_kept_whole() {
        let big = json!(vec!["x".repeat(1000); 1000]);
        for reading in [
            "{{ steps.a }}",
            "{{ steps.a[0] }}",
            "{{ steps['a'] }}",
            "{{ steps.a-b }}",
            "{{ steps | length }}",
        ] {
            assert_eq!(result(big.clone(), reading), big, "{reading}");
        }
        for other in ["", "{{ steps.ab.x }}", "{{ steps.b }}"] {
            assert!(result(big.clone(), other).is_string(), "{other}");
        }
        let small = json!({ "id": "x" });
        assert_eq!(result(small.clone(), ""), small);
    }
}
