//! Applies an intervention to a run.

use chrono::{DateTime, Utc};

use crate::check::CheckedRecipe;
use crate::journal::{Act, Error, Journal, RecipeText, RunRow, RunUpdate};
use crate::run::{Intervened, OperatorAction, RunState, StampedEntry, plan_intervention};

/// An intervention.
#[derive(Debug, Clone, PartialEq)]
pub struct Intervention {
    /// What is done.
    pub action: OperatorAction,
    /// Whether the runs continue with the recipe as it is now.
    pub with_current_recipe: bool,
    /// Whether to tell only what it would do.
    pub dry: bool,
}

impl Intervention {
    /// Its name in the audit log.
    pub fn act(&self) -> Act {
        match self.action {
            OperatorAction::Retry | OperatorAction::Restart => Act::Retry,
            OperatorAction::Skip => Act::Skip,
            OperatorAction::Happened(_) | OperatorAction::DidNotHappen => Act::Resolve,
        }
    }
}

/// The new state of a run, or why it is unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The run.
    pub id: String,
    /// Its recipe.
    pub recipe: String,
    /// Its state.
    pub state: RunState,
    /// Why it is unchanged, if it is.
    pub refused: Option<String>,
    /// The versions of its recipe, if it goes on with the recipe as it is now.
    pub versions: Option<Versions>,
}

/// The versions of the recipe of a run that goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    /// The one that it had, if it had begun.
    pub before: Option<String>,
    /// The one that it goes on with.
    pub now: String,
}

/// Applies `intervention` at `now` to the run `row`, with those of `recipes` that it goes on with.
pub async fn apply(
    journal: &dyn Journal,
    row: RunRow,
    intervention: &Intervention,
    recipes: &[CheckedRecipe],
    now: DateTime<Utc>,
) -> Result<Outcome, Error> {
    let decided = decide(journal, &row, intervention, recipes, now).await?;
    let (state, refused, versions) = match decided {
        Ok((state, versions)) => (state, None, versions),
        Err(reason) => (row.state, Some(reason), None),
    };
    Ok(Outcome { id: row.id.to_string(), recipe: row.recipe, state, refused, versions })
}

/// The new state of a run, or why it is unchanged.
async fn decide(
    journal: &dyn Journal,
    row: &RunRow,
    intervention: &Intervention,
    recipes: &[CheckedRecipe],
    now: DateTime<Utc>,
) -> Result<Result<(RunState, Option<Versions>), String>, Error> {
    let action = &intervention.action;
    let recipe =
        recipes.iter().find(|recipe| intervention.with_current_recipe && recipe.name() == row.recipe);
    let resolves = matches!(action, OperatorAction::Happened(_) | OperatorAction::DidNotHappen);
    if intervention.with_current_recipe && recipe.is_none() && resolves {
        return Ok(Err("its recipe is not in this workspace, or has mistakes".to_owned()));
    }
    let (ruled, seen, before) = match journal.run(&row.id).await {
        Ok(Some(detail)) => {
            let began = match &detail.run.version {
                Some(version) => journal.recipe(&row.recipe, version).await?,
                None => None,
            };
            let began = began.and_then(|text| text.recipe());
            (
                plan_intervention(action, detail.row.state, &detail.entries, recipe, began.as_ref()),
                detail.entries.len(),
                detail.run.version,
            )
        }
        Ok(None) => return Ok(Err("it is gone".to_owned())),
        // A run that cannot be decoded can still be skipped.
        Err(Error::Corrupt { reason, .. }) if *action != OperatorAction::Skip => {
            return Ok(Err(format!("{reason}; `hob runs skip` gives it up")));
        }
        Err(Error::Corrupt { .. }) => {
            (plan_intervention(action, row.state, &[], recipe, None), row.entries, None)
        }
        Err(error) => return Err(error),
    };
    let Intervened { entries, state, reason } = match ruled {
        Ok(ruled) => ruled,
        Err(unfit) => return Ok(Err(unfit.to_string())),
    };
    let version = recipe.map(|recipe| recipe.version().to_owned());
    let versions = version.clone().map(|now| Versions { before, now });
    if intervention.dry {
        return Ok(Ok((state, versions)));
    }
    if let Some(recipe) = recipe {
        journal.save_recipe(&RecipeText::from_recipe(recipe)).await?;
    }
    let entries = entries.into_iter().map(|entry| StampedEntry::new(now, entry)).collect();
    let update = RunUpdate { error: reason, version, ..RunUpdate::new(state, now) };
    let amended = journal.amend(&row.id, seen, entries, update).await?;
    Ok(amended
        .then_some((state, versions))
        .ok_or_else(|| "it changed in the meantime; check it and try again".to_owned()))
}
