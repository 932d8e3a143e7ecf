//! Where in a recipe something would be different.

use crate::check::CheckedRecipe;
use crate::run::RunState;
use crate::source::Position;

/// A place in a recipe's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: String,
    pub(super) position: Position,
}

impl Place {
    /// The place of a step; of the start, its condition if the run would end `after` so.
    pub(super) fn of(recipe: &CheckedRecipe, step: Option<&str>, after: Option<RunState>) -> Option<Self> {
        let model = recipe.recipe();
        let span = match step {
            Some(step) => model.all_actions().find(|action| action.id == step)?.operation.span,
            None => match &model.when {
                Some(when) if after == Some(RunState::Filtered) => when.span,
                _ => model.name.span,
            },
        };
        let position = model.file.position(span.range().start);
        Some(Self { file: model.file.name().to_owned(), position })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.position.line, self.position.column)
    }
}
