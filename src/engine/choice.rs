//! The recipe that a run goes on with: the version it began with, or that a person told it to go on with.

use super::dispatch::Shared;
use super::held::Grip;
use super::persist::{Gone, persist};
use crate::check::CheckedRecipe;
use crate::journal::{LeasedRun, RecipeText};
use crate::run::misfit;

/// What there is for a run to go on with.
pub(super) enum Choice {
    /// This recipe, and a remark if it is not the one that it should be.
    Recipe(CheckedRecipe, Option<String>),
    /// No recipe of that name.
    Absent,
    /// Only one with which the run would do again what is done. The text says so.
    Misfit(String),
}

/// The recipe of a run.
pub(super) async fn choose(shared: &Shared, leased: &LeasedRun, grip: &Grip) -> Result<Choice, Gone> {
    let (book, name) = (&shared.world.recipes, &leased.run.recipe);
    let present = || book.present(name);
    let Some(version) = &leased.run.version else {
        return Ok(present().map_or(Choice::Absent, |recipe| Choice::Recipe(recipe, None)));
    };
    if let Some(recipe) = book.version(name, version) {
        return Ok(Choice::Recipe(recipe, None));
    }
    // Another process began with it, or this one before it was started anew.
    let journal = &shared.world.journal;
    let text = persist(&leased.run.id, grip, || journal.recipe(name, version)).await?;
    if let Some(recipe) = text.as_ref().and_then(|text| book.read(text)) {
        return Ok(Choice::Recipe(recipe, None));
    }
    let Some(present) = present() else { return Ok(Choice::Absent) };
    let began = text.and_then(|text| text.recipe());
    if let Some(reason) = misfit(&leased.entries, None, began.as_ref(), &present) {
        return Ok(Choice::Misfit(format!("the recipe has changed since the run began: {reason}")));
    }
    let remark = format!(
        "the recipe has changed since the run began ({version}); the run continues with the present one ({})",
        present.version()
    );
    Ok(Choice::Recipe(present, Some(remark)))
}

/// Has the journal keep the text of `recipe`, with which a run is about to begin.
pub(super) async fn keep(shared: &Shared, recipe: &CheckedRecipe) {
    if !shared.kept.is_new(recipe.version()) {
        return;
    }
    // Runs do without; they go on with the recipe of the moment then, and say so.
    if let Err(error) = shared.world.journal.save_recipe(&RecipeText::of(recipe)).await {
        shared.kept.forget(recipe.version());
        tracing::error!(recipe = recipe.name(), %error, "the text of the recipe is not kept");
    }
}
