//! The recipe that a run began with.

use crate::dashboard::state::Dashboard;
use crate::journal::{Error, RunDetail};
use crate::recipe::Recipe;

/// The text of a recipe in one version.
pub(super) struct VersionText {
    pub(super) file: String,
    pub(super) text: String,
    pub(super) version: String,
    /// It, if it can still be read.
    pub(super) recipe: Option<Recipe>,
    /// Whether it is the version that is used now.
    pub(super) is_current: bool,
}

impl VersionText {
    /// That of the run; as it is now if the run has not begun.
    pub(super) async fn of(dashboard: &Dashboard, detail: &RunDetail) -> Result<Option<Self>, Error> {
        let recipes = dashboard.recipes();
        let current = recipes.find(&detail.row.recipe);
        let version = detail.run.version.as_deref().or(current.map(|recipe| recipe.version()));
        let Some(version) = version else { return Ok(None) };
        if let Some(current) = current.filter(|recipe| recipe.version() == version) {
            let recipe = current.recipe();
            return Ok(Some(Self {
                file: recipe.file.name().to_owned(),
                text: recipe.text().to_owned(),
                version: version.to_owned(),
                recipe: Some(recipe.clone()),
                is_current: true,
            }));
        }
        let kept = dashboard.services().journal.recipe(&detail.row.recipe, version).await?;
        Ok(kept.map(|kept| Self {
            recipe: kept.recipe(),
            file: kept.file,
            text: kept.text,
            version: kept.version,
            is_current: false,
        }))
    }
}
