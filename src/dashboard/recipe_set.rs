//! The recipes that are shown: those in use, and those that cannot be.

use crate::check::CheckedRecipe;

/// Recipes of the workspace.
#[derive(Debug, Clone, Default)]
pub struct RecipeSet {
    /// Those in use.
    pub used: Vec<CheckedRecipe>,
    /// Those with mistakes.
    pub unusable: Vec<UnusableRecipe>,
}

/// A recipe that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusableRecipe {
    /// Its name, if it can be read.
    pub name: Option<String>,
    /// Its file, as it is displayed.
    pub file: String,
    /// Why.
    pub reason: String,
}

impl RecipeSet {
    /// The recipe `name`, if it is in use.
    pub(super) fn find(&self, name: &str) -> Option<&CheckedRecipe> {
        self.used.iter().find(|recipe| recipe.name() == name)
    }
}
