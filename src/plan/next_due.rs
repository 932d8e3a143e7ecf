//! When a recipe with set times is due, where that is not on the planned day.

use chrono::TimeDelta;

use super::input::Period;
use super::model::Note;
use super::timing::end;
use crate::check::CheckedRecipe;
use crate::recipe::{Every, Trigger};

/// Says when `recipe` is due next, if it is not on the planned day.
pub(super) fn next_due(recipe: &CheckedRecipe, period: Period) -> Option<Note> {
    let Period::Day(start) = period else { return None };
    let cron = match recipe.trigger() {
        Trigger::Schedule(schedule) => &schedule.cron.cron,
        Trigger::Poll(poll) => match &poll.every {
            Every::Cron(text) => &text.cron,
            Every::Interval(_) | Every::Adaptive { .. } => return None,
        },
        _ => return None,
    };
    let next = cron.next_after(start - TimeDelta::seconds(1));
    let assumed = match next {
        Some(next) if next < end(start) => return None,
        Some(next) => format!("it is not due on this day; next on {} UTC", next.format("%Y-%m-%d at %H:%M")),
        None => "it is never due".to_owned(),
    };
    Some(Note { about: recipe.name().to_owned(), assumed, assume: Vec::new() })
}
