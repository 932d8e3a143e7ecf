//! Chooses the recipe version with which a run continues: the one it started with, or the one a person chose.

use super::leases::LeaseGuard;
use super::shared::Shared;
use super::store_retry::{LeaseLost, with_store_retry};
use crate::check::CheckedRecipe;
use crate::journal::{LeasedRun, RecipeText};
use crate::run::incompatibility;

/// The recipe with which a run continues, if there is one.
pub(super) enum RecipeChoice {
    /// This recipe, with a remark if it is not the version the run started with.
    Recipe(CheckedRecipe, Option<String>),
    /// There is no recipe of that name.
    Missing,
    /// The current version would repeat completed steps. The text says why.
    Incompatible(String),
}

/// Chooses the recipe of a run.
pub(super) async fn choose_recipe(
    shared: &Shared,
    leased: &LeasedRun,
    guard: &LeaseGuard,
) -> Result<RecipeChoice, LeaseLost> {
    let (recipes, name) = (&shared.recipes, &leased.run.recipe);
    let present = || recipes.current(name);
    let Some(version) = &leased.run.version else {
        return Ok(present().map_or(RecipeChoice::Missing, |recipe| RecipeChoice::Recipe(recipe, None)));
    };
    if let Some(recipe) = recipes.version(name, version) {
        return Ok(RecipeChoice::Recipe(recipe, None));
    }
    // The run was started by another process, or by this one before a restart.
    let journal = &shared.services.journal;
    let text = with_store_retry(&leased.run.id, guard, || journal.recipe(name, version)).await?;
    if let Some(recipe) = text.as_ref().and_then(|text| recipes.read(text)) {
        return Ok(RecipeChoice::Recipe(recipe, None));
    }
    let Some(present) = present() else { return Ok(RecipeChoice::Missing) };
    let began = text.and_then(|text| text.recipe());
    if let Some(reason) = incompatibility(&leased.entries, None, &[], began.as_ref(), &present) {
        return Ok(RecipeChoice::Incompatible(format!(
            "the recipe has changed since the run began: {reason}"
        )));
    }
    let remark = format!(
        "the recipe has changed since the run began ({version}); the run continues with the present one ({})",
        present.version()
    );
    Ok(RecipeChoice::Recipe(present, Some(remark)))
}

/// Stores the text of `recipe` in the journal before a run starts with it.
pub(super) async fn save_recipe(shared: &Shared, recipe: &CheckedRecipe) {
    if !shared.saved_recipes.is_new(recipe.version()) {
        return;
    }
    // Not fatal: without the text, runs continue with the current version and say so.
    if let Err(error) = shared.services.journal.save_recipe(&RecipeText::from_recipe(recipe)).await {
        shared.saved_recipes.forget(recipe.version());
        tracing::error!(recipe = recipe.name(), %error, "the text of the recipe is not kept");
    }
}
