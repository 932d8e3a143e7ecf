//! What a run does anew when its recipe has it go on from its first step (`retry: { from: start }`).

use super::entry::{Entry, StepKey};
use super::status::{Phase, Status, StepStatus};
use crate::catalog::{Builtin, Effect, Operation};
use crate::check::CheckedRecipe;
use crate::recipe::RetryFrom;

/// The steps of a run with this status that are done anew; `None` if its recipe has it go on where it was.
pub(super) fn repeatable(recipe: &CheckedRecipe, status: &Status) -> Option<Vec<StepKey>> {
    if recipe.recipe().retry_from != RetryFrom::Start {
        return None;
    }
    let is_repeatable = |(key, step): &(&StepKey, &StepStatus)| {
        let action = recipe.actions().find(|action| action.id == key.action);
        action.is_some_and(|action| may_be_repeated(action.operation, step))
    };
    Some(status.steps.iter().filter(is_repeatable).map(|(key, _)| key.clone()).collect())
}

/// The entry that has these steps done anew.
pub(super) fn begun_again(steps: Vec<StepKey>) -> Entry {
    Entry::BegunAgain { steps }
}

/// Whether nothing is done twice if the step is.
fn may_be_repeated(operation: &Operation, step: &StepStatus) -> bool {
    let may_create = operation.effect == Effect::Create || !operation.creates_when.is_empty();
    match &step.phase {
        // Only a person, or a probe, can tell.
        Phase::InDoubt { .. } | Phase::Parked { .. } | Phase::Paused { .. } => false,
        Phase::Skipped | Phase::Open => true,
        Phase::Done(_) => !may_create && operation.builtin != Some(Builtin::Wait),
        // What was refused did not happen, unless an earlier answer was lost.
        Phase::Waiting { .. } | Phase::Failed(_) => !may_create || step.lost.is_none(),
        Phase::Intended => !may_create,
    }
}
