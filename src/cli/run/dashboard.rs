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

/// What the dashboard shows of recipes. Of one in use whose file is broken, the version loaded before stays.
pub(super) fn shown(used: &[CheckedRecipe], broken: &[BrokenRecipe]) -> RecipeSet {
    let is_used = |broken: &&BrokenRecipe| {
        broken.recipe.as_ref().is_some_and(|name| used.iter().any(|recipe| recipe.name() == name))
    };
    let (mistaken, unusable): (Vec<&BrokenRecipe>, Vec<&BrokenRecipe>) = broken.iter().partition(is_used);
    let shown = |broken: &BrokenRecipe| UnusableRecipe {
        name: broken.recipe.clone(),
        file: broken.file.clone(),
        reason: broken.reason.clone(),
    };
    RecipeSet {
        used: used.to_vec(),
        unusable: unusable.into_iter().map(shown).collect(),
        mistaken: mistaken.into_iter().map(shown).collect(),
    }
}
