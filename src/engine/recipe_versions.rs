//! The recipes known to an engine: the current ones, and earlier versions that runs in progress started with.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::catalog::Catalog;
use crate::check::{CheckedRecipe, Feedback, WorkspaceInfo, check_begun};
use crate::journal::RecipeText;
use crate::source::SourceFile;

/// Earlier versions remembered per recipe.
const MAX_EARLIER_VERSIONS: usize = 20;

/// Recipes by name and version. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct RecipeVersions {
    versions: Arc<RwLock<Versions>>,
    /// What stored recipe texts are checked against.
    checker: Option<Arc<(Arc<Catalog>, WorkspaceInfo)>>,
}

#[derive(Debug, Default)]
struct Versions {
    current: HashMap<String, CheckedRecipe>,
    earlier: HashMap<String, Vec<CheckedRecipe>>,
    feedback: Arc<Feedback>,
    replaced: u64,
}

impl Versions {
    fn remember(&mut self, recipe: CheckedRecipe) {
        let versions = self.earlier.entry(recipe.name().to_owned()).or_default();
        versions.retain(|known| known.version() != recipe.version());
        versions.push(recipe);
        if versions.len() > MAX_EARLIER_VERSIONS {
            versions.remove(0);
        }
    }
}

impl RecipeVersions {
    /// The versions of these recipes.
    pub fn new(recipes: impl IntoIterator<Item = CheckedRecipe>) -> Self {
        let versions = Self::default();
        versions.replace(recipes);
        versions
    }

    /// The same, with the ability to check stored recipe texts.
    pub fn with_checker(self, catalog: Arc<Catalog>, workspace_info: WorkspaceInfo) -> Self {
        Self { checker: Some(Arc::new((catalog, workspace_info))), ..self }
    }

    /// Checks a stored recipe text and remembers it as an earlier version; `None` if it is no longer valid.
    pub fn read(&self, stored: &RecipeText) -> Option<CheckedRecipe> {
        let (catalog, workspace_info) = self.checker.as_deref()?;
        let file = SourceFile::new(stored.file.as_str(), stored.text.as_str());
        let recipe = check_begun(&file, catalog, workspace_info).into_recipe().ok()?;
        if recipe.name() != stored.name || recipe.version() != stored.version {
            return None;
        }
        self.versions.write().unwrap_or_else(PoisonError::into_inner).remember(recipe.clone());
        Some(recipe)
    }

    /// Replaces the current recipes. Runs in progress keep the version they started with.
    pub fn replace(&self, recipes: impl IntoIterator<Item = CheckedRecipe>) {
        let current: HashMap<String, CheckedRecipe> =
            recipes.into_iter().map(|recipe| (recipe.name().to_owned(), recipe)).collect();
        let mut versions = self.versions.write().unwrap_or_else(PoisonError::into_inner);
        versions.feedback = Arc::new(Feedback::of(current.values()));
        versions.replaced += 1;
        for recipe in std::mem::replace(&mut versions.current, current).into_values() {
            versions.remember(recipe);
        }
    }

    /// The current recipe `name`.
    pub fn current(&self, name: &str) -> Option<CheckedRecipe> {
        self.versions.read().unwrap_or_else(PoisonError::into_inner).current.get(name).cloned()
    }

    /// The recipe `name` in this version, if it is known.
    pub fn version(&self, name: &str, version: &str) -> Option<CheckedRecipe> {
        let versions = self.versions.read().unwrap_or_else(PoisonError::into_inner);
        let mut all =
            versions.current.get(name).into_iter().chain(versions.earlier.get(name).into_iter().flatten());
        all.find(|recipe| recipe.version() == version).cloned()
    }

    /// What the current recipes write that other recipes read.
    pub fn feedback(&self) -> Arc<Feedback> {
        Arc::clone(&self.versions.read().unwrap_or_else(PoisonError::into_inner).feedback)
    }

    /// How often the current recipes were set.
    pub fn replaced(&self) -> u64 {
        self.versions.read().unwrap_or_else(PoisonError::into_inner).replaced
    }

    /// All current recipes, by name.
    pub fn all(&self) -> Vec<CheckedRecipe> {
        let versions = self.versions.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<CheckedRecipe> = versions.current.values().cloned().collect();
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
        let versions = RecipeVersions::new([old.clone()]);
        versions.replace([new.clone()]);
        assert_eq!(versions.current("r").unwrap().version(), new.version());
        assert_eq!(versions.version("r", old.version()).unwrap().version(), old.version());
        versions.replace([]);
        assert!(versions.current("r").is_none() && versions.version("r", new.version()).is_some());
    }
}
