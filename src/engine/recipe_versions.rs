//! The recipes an engine knows: the present ones, and earlier versions that runs in flight began with.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::catalog::Catalog;
use crate::check::{CheckedRecipe, Feedback, WorkspaceInfo, check_begun};
use crate::journal::RecipeText;
use crate::source::SourceFile;

/// Earlier versions kept of a recipe: those that runs in flight may still need.
const KEPT: usize = 20;

/// Recipes by name and version. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct RecipeVersions {
    book: Arc<RwLock<Book>>,
    /// What texts of recipes are checked against.
    checker: Option<Arc<(Arc<Catalog>, WorkspaceInfo)>>,
}

#[derive(Debug, Default)]
struct Book {
    present: HashMap<String, CheckedRecipe>,
    earlier: HashMap<String, Vec<CheckedRecipe>>,
    feedback: Arc<Feedback>,
}

impl Book {
    fn keep(&mut self, recipe: CheckedRecipe) {
        let versions = self.earlier.entry(recipe.name().to_owned()).or_default();
        versions.retain(|known| known.version() != recipe.version());
        versions.push(recipe);
        if versions.len() > KEPT {
            versions.remove(0);
        }
    }
}

impl RecipeVersions {
    /// A book of these recipes.
    pub fn new(recipes: impl IntoIterator<Item = CheckedRecipe>) -> Self {
        let book = Self::default();
        book.replace(recipes);
        book
    }

    /// The same, which can also make use of texts of recipes.
    pub fn reading(self, catalog: Arc<Catalog>, workspace_info: WorkspaceInfo) -> Self {
        Self { checker: Some(Arc::new((catalog, workspace_info))), ..self }
    }

    /// The recipe of a text that was sound when it was kept; `None` if it is so no more. It is known as an
    /// earlier version from then on.
    pub fn read(&self, kept: &RecipeText) -> Option<CheckedRecipe> {
        let (catalog, workspace_info) = self.checker.as_deref()?;
        let file = SourceFile::new(kept.file.as_str(), kept.text.as_str());
        let recipe = check_begun(&file, catalog, workspace_info).recipe?;
        if recipe.name() != kept.name || recipe.version() != kept.version {
            return None;
        }
        self.book.write().unwrap_or_else(PoisonError::into_inner).keep(recipe.clone());
        Some(recipe)
    }

    /// These are the recipes from now on. Runs in flight keep the version they began with.
    pub fn replace(&self, recipes: impl IntoIterator<Item = CheckedRecipe>) {
        let present: HashMap<String, CheckedRecipe> =
            recipes.into_iter().map(|recipe| (recipe.name().to_owned(), recipe)).collect();
        let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
        book.feedback = Arc::new(Feedback::of(present.values()));
        for recipe in std::mem::replace(&mut book.present, present).into_values() {
            book.keep(recipe);
        }
    }

    /// The present recipe called `name`.
    pub fn present(&self, name: &str) -> Option<CheckedRecipe> {
        self.book.read().unwrap_or_else(PoisonError::into_inner).present.get(name).cloned()
    }

    /// The recipe called `name` in this version, if it is still known.
    pub fn version(&self, name: &str, version: &str) -> Option<CheckedRecipe> {
        let book = self.book.read().unwrap_or_else(PoisonError::into_inner);
        let mut all = book.present.get(name).into_iter().chain(book.earlier.get(name).into_iter().flatten());
        all.find(|recipe| recipe.version() == version).cloned()
    }

    /// What the present recipes write that others read.
    pub fn feedback(&self) -> Arc<Feedback> {
        Arc::clone(&self.book.read().unwrap_or_else(PoisonError::into_inner).feedback)
    }

    /// All present recipes, by name.
    pub fn all(&self) -> Vec<CheckedRecipe> {
        let book = self.book.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<CheckedRecipe> = book.present.values().cloned().collect();
        all.sort_by(|a, b| a.name().cmp(b.name()));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::testing::recipe;

    #[test]
    fn earlier_versions_stay_known() {
        let (old, new) = (
            recipe("actions: [{ do: things.get, with: { id: a } }]\n"),
            recipe("actions: [{ do: things.get, with: { id: b } }]\n"),
        );
        let book = RecipeVersions::new([old.clone()]);
        book.replace([new.clone()]);
        assert_eq!(book.present("r").unwrap().version(), new.version());
        assert_eq!(book.version("r", old.version()).unwrap().version(), old.version());
        book.replace([]);
        assert!(book.present("r").is_none() && book.version("r", new.version()).is_some());
    }
}
