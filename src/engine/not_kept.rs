//! What follows where an API accepts a write and does not keep all of it.

use std::sync::Arc;

use crate::catalog::Effect;
use crate::recipe::KeptPolicy;
use crate::run::{Difference, Entry, StepCall, StepError};

/// The entry that tells of the `fields`, and the outcome of a step whose outcome would be `entry`; `None` where nothing
/// is to be told.
pub(super) fn not_kept(call: &StepCall, entry: &Entry, fields: Vec<Difference>) -> Option<(Entry, Entry)> {
    let Entry::StepSucceeded { result, .. } = entry else { return None };
    if fields.is_empty() {
        return None;
    }
    let (step, attempt, fails) = (call.step.clone(), call.attempt, call.kept == KeptPolicy::Fail);
    let outcome = match fails {
        true => {
            let error = error(call, &fields);
            Entry::StepFailed { step: step.clone(), attempt, error, retry_at: None, lost: false, read: None }
        }
        false => entry.clone(),
    };
    // A create is not made again, and what it made is known.
    let result = (fails && call.effect == Effect::Create).then(|| Arc::clone(result));
    Some((Entry::NotKept { step, kept: false, fields, result }, outcome))
}

/// Why a step fails whose API did not keep what was sent.
fn error(call: &StepCall, fields: &[Difference]) -> StepError {
    let fields: Vec<String> = fields.iter().map(ToString::to_string).collect();
    let message =
        format!("`{}` was accepted, and not all of it was kept: {}", call.operation.id, fields.join("; "));
    let help = match call.effect {
        Effect::Create => {
            "the write has happened and is not made again: `hob runs retry` goes on with the next step"
        }
        _ => "the write has happened: `hob runs retry` sends it again; `kept: warn` goes on all the same",
    };
    StepError { help: Some(help.to_owned()), ..StepError::new(message) }
}
