//! The text of a recipe with the path that a run took marked beside it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::overview::{TracedOutcome, TracedStep};
use crate::recipe::Recipe;

/// A line of the text.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Line {
    number: usize,
    text: String,
    /// The step that it belongs to, and what became of that.
    step: Option<String>,
    outcome: Option<TracedOutcome>,
    /// Whether it is the first of the step.
    first: bool,
}

/// The lines of `text`, which `recipe` was read from. A generated recipe stands in no file: its lines have no marks.
pub(super) fn lines(text: &str, recipe: Option<&Recipe>, steps: &[TracedStep]) -> Vec<Line> {
    let recipe = recipe.filter(|recipe| !recipe.is_generated());
    let marks = recipe.map(|recipe| marks(recipe, steps)).unwrap_or_default();
    let line = |(place, text): (usize, &str)| {
        let number = place + 1;
        let mark = marks.get(&number);
        Line {
            number,
            text: text.to_owned(),
            step: mark.map(|mark| mark.step.clone()),
            outcome: mark.map(|mark| mark.outcome),
            first: mark.is_some_and(|mark| mark.first),
        }
    };
    text.lines().enumerate().map(line).collect()
}

struct Mark {
    step: String,
    outcome: TracedOutcome,
    first: bool,
}

/// The marks by line number. Of a step with several items, the worst counts.
fn marks(recipe: &Recipe, steps: &[TracedStep]) -> BTreeMap<usize, Mark> {
    let mut marks = BTreeMap::new();
    for action in recipe.all_actions() {
        let id = &action.id;
        let is_of = |step: &&TracedStep| {
            step.step.strip_prefix(id.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
        };
        let outcomes = steps.iter().filter(is_of).map(|step| step.outcome);
        let Some(outcome) = outcomes.max_by_key(|outcome| rank(*outcome)) else { continue };
        let range = action.span.range();
        let (from, to) = (recipe.file.position(range.start).line, recipe.file.position(range.end).line);
        for number in from..=to.max(from) {
            let mark = Mark { step: id.clone(), outcome, first: number == from };
            marks.entry(number).or_insert(mark);
        }
    }
    marks
}

/// How much a person should know of it.
fn rank(outcome: TracedOutcome) -> u8 {
    match outcome {
        TracedOutcome::NotReached => 0,
        TracedOutcome::Skipped => 1,
        TracedOutcome::Unchanged => 2,
        TracedOutcome::Done => 3,
        TracedOutcome::Waiting => 4,
        TracedOutcome::InDoubt => 5,
        TracedOutcome::Parked => 6,
        TracedOutcome::Failed => 7,
    }
}
