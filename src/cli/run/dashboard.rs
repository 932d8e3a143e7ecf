//! The dashboard of `hob run`.

use std::sync::Arc;

use crate::check::CheckedRecipe;
use crate::cli::recipes::BrokenRecipe;
use crate::dashboard::{Dashboard, DashboardContext, RecipeSet, UnusableRecipe};
use crate::services::Services;
use crate::workspace::Workspace;

/// A dashboard of `workspace` that shows `recipes`.
pub(super) fn dashboard(
    services: &Services,
    workspace: &Workspace,
    sandbox: bool,
    recipes: RecipeSet,
) -> Dashboard {
    let context =
        DashboardContext { services: services.clone(), workspace: Arc::new(workspace.clone()), sandbox };
    Dashboard::new(context, recipes)
}

/// What the dashboard shows of recipes.
pub(super) fn shown(used: &[CheckedRecipe], broken: &[BrokenRecipe]) -> RecipeSet {
    let unusable = broken.iter().map(|BrokenRecipe { recipe, file, reason, .. }| UnusableRecipe {
        name: recipe.clone(),
        file: file.clone(),
        reason: reason.clone(),
    });
    RecipeSet { used: used.to_vec(), unusable: unusable.collect() }
}
