//! Which parts of a recipe its tests reach.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::check::CheckedRecipe;
use crate::run::{Entry, RunState, StampedEntry};
use crate::source::{Position, Span};

/// The parts of a recipe that a run reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage(BTreeSet<Branch>);

/// A part of a recipe.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Branch {
    /// `when` was true or false.
    When(bool),
    /// A step ran.
    Ran(String),
    /// A step was skipped.
    Skipped(String),
}

impl Coverage {
    /// What a run that ended in `state` with these entries reached.
    pub(super) fn from_run(entries: &[StampedEntry], state: RunState) -> Self {
        let mut reached = BTreeSet::new();
        for stamped in entries {
            match &stamped.entry {
                Entry::Started { .. } => {
                    reached.insert(Branch::When(true));
                }
                Entry::StepSkipped { step, .. } => {
                    reached.insert(Branch::Skipped(step.action.clone()));
                }
                Entry::Intent { step, .. }
                | Entry::StepSucceeded { step, .. }
                | Entry::StepFailed { step, .. }
                | Entry::StepUnchanged { step, .. }
                | Entry::InDoubt { step, .. }
                | Entry::WaitStarted { step, .. } => {
                    reached.insert(Branch::Ran(step.action.clone()));
                }
                _ => {}
            }
        }
        if state == RunState::Filtered {
            reached.insert(Branch::When(false));
        }
        Self(reached)
    }
}

/// A recipe with the parts that its tests reach.
#[derive(Debug, Clone, Serialize)]
pub struct CoveredRecipe {
    /// Name of the recipe.
    pub recipe: String,
    /// Its file.
    pub file: String,
    /// Number of parts that were reached.
    pub covered: usize,
    /// Number of all parts.
    pub total: usize,
    /// The parts that no test reached.
    pub missed: Vec<MissedPart>,
}

/// A part of a recipe that no test reached.
#[derive(Debug, Clone, Serialize)]
pub struct MissedPart {
    /// Which part, in words.
    pub part: String,
    /// Its line, from 1.
    pub line: usize,
    /// Its column, from 1.
    pub column: usize,
}

impl CoveredRecipe {
    /// What `runs` of `recipe` reached: each step, and both outcomes of each condition.
    pub fn new<'a>(recipe: &CheckedRecipe, runs: impl IntoIterator<Item = &'a Coverage>) -> Self {
        let reached: BTreeSet<&Branch> = runs.into_iter().flat_map(|run| &run.0).collect();
        let parts = parts(recipe);
        let file = &recipe.recipe().file;
        let missed = parts.iter().filter(|(branch, ..)| !reached.contains(branch));
        let missed: Vec<MissedPart> = missed
            .map(|(_, span, part)| {
                let Position { line, column } = file.position(span.start);
                MissedPart { part: part.clone(), line, column }
            })
            .collect();
        Self {
            recipe: recipe.name().to_owned(),
            file: file.name().to_owned(),
            covered: parts.len() - missed.len(),
            total: parts.len(),
            missed,
        }
    }
}

/// The parts of a recipe, with their places and names.
fn parts(recipe: &CheckedRecipe) -> Vec<(Branch, Span, String)> {
    let mut parts = Vec::new();
    if let Some(when) = &recipe.recipe().when {
        for outcome in [true, false] {
            parts.push((Branch::When(outcome), when.span, format!("`when` is {outcome}")));
        }
    }
    for action in recipe.all_actions() {
        let id = &action.id;
        parts.push((Branch::Ran(id.clone()), action.span, format!("step `{id}` runs")));
        if let Some(condition) = &action.condition {
            let part = format!("`if` of step `{id}` is false");
            parts.push((Branch::Skipped(id.clone()), condition.span, part));
        }
    }
    parts
}
