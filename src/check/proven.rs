//! What is known to exist where a template is evaluated.

use super::{Context, Position, StepPart};
use crate::template::Present;

/// What conditions ensure before a template at `position` is evaluated.
pub(super) fn present(context: &Context<'_>, position: &Position<'_>) -> Present {
    let mut present = Present::new();
    if !matches!(position, Position::When)
        && let Some(when) = &context.recipe.when
    {
        present.extend(when.proves(true));
    }
    if let Position::Step { action, index, part, after_failure } = *position {
        if part == StepPart::Input
            && let Some(condition) = &action.condition
        {
            present.extend(condition.proves(true));
        }
        let before = if after_failure { &context.recipe.on_failure } else { &context.recipe.actions };
        let stops = context.stops(after_failure).iter().take_while(|stop| **stop < index);
        for stop in stops {
            if let Some(condition) = &before[*stop].condition {
                present.extend(condition.proves(false));
            }
        }
    }
    present
}
