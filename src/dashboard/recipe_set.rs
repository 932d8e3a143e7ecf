//! The recipes that are shown: those in use, and those that cannot be.

use std::collections::BTreeSet;

use crate::check::CheckedRecipe;

/// Recipes of the workspace.
#[derive(Debug, Clone, Default)]
pub struct RecipeSet {
    /// Those in use.
    pub used: Vec<CheckedRecipe>,
    /// Those with mistakes.
    pub unusable: Vec<UnusableRecipe>,
    /// Those whose files have got mistakes while they are in use, as they were before.
    pub mistaken: Vec<UnusableRecipe>,
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
    /// The names of all that can be read.
    pub(super) fn names(&self) -> BTreeSet<String> {
        let used = self.used.iter().map(|recipe| recipe.name().to_owned());
        used.chain(self.unusable.iter().filter_map(|recipe| recipe.name.clone())).collect()
    }

    /// What is wrong with the recipe `name`, if it is in use as it was before.
    pub(super) fn mistakes(&self, name: &str) -> Option<&UnusableRecipe> {
        self.mistaken.iter().find(|recipe| recipe.name.as_deref() == Some(name))
    }

    /// The recipe `name`, if it is in use.
    pub(super) fn find(&self, name: &str) -> Option<&CheckedRecipe> {
        self.used.iter().find(|recipe| recipe.name() == name)
    }
}
