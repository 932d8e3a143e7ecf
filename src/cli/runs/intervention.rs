//! Common parts of `hob runs retry`, `skip` and `resolve`: interventions in runs.

use anyhow::anyhow;
use indexmap::IndexMap;
use serde_json::json;

use super::run_selector::{RunSelector, find};
use crate::check::CheckedRecipe;
use crate::cli::recipes::Recipes;
use crate::cli::store::open_present;
use crate::cli::{ExitCode, Failure, Format, Session, StoreChoice, runtime};
use crate::clock::Clock;
use crate::journal::{Access, Error, Journal, RecipeText, RunRow, RunUpdate};
use crate::run::{Intervened, OperatorAction, RunState, StampedEntry, plan_intervention};

/// An intervention.
pub(super) struct Intervention {
    /// The state of the selected runs, unless the selector names another.
    pub(super) default_state: RunState,
    pub(super) action: OperatorAction,
    /// Whether the runs continue with the recipe as it is now.
    pub(super) with_current_recipe: bool,
    /// Whether to tell only what it would do.
    pub(super) dry: bool,
}

/// Applies `intervention` to the runs `ids`, or to those that `which` selects.
pub(super) fn intervene(
    session: &mut Session,
    ids: &[String],
    which: &RunSelector,
    store: StoreChoice,
    intervention: &Intervention,
    format: Format,
) -> Result<ExitCode, Failure> {
    if ids.is_empty() && which.is_everything() {
        let reason = "which runs? Give ids, or --cause, --recipe, --state, --record, --since or --text";
        return Err(Failure::usage(anyhow!(reason)));
    }
    if !ids.is_empty() && !which.is_everything() {
        return Err(Failure::usage(anyhow!("give ids or filters, not both")));
    }
    let workspace = session.workspace_or_its_sandbox(&[], store)?;
    let recipes = Recipes::load(session, &[], &workspace.catalog, Some(&workspace))?;
    let outcomes = runtime::block_on(async {
        let Some(journal) = open_present(&workspace, Access::Client).await? else {
            return Err(Failure::usage(anyhow!("there is no history yet")));
        };
        let outcomes = apply_to_all(journal.as_ref(), ids, which, intervention, &recipes).await;
        journal.close().await;
        outcomes
    })??;
    if intervention.dry && format == Format::Text {
        return preview(session, &outcomes, intervention);
    }
    print(session, &outcomes, format)?;
    let refused = outcomes.iter().any(|outcome| outcome.refused.is_some());
    Ok(if refused { ExitCode::Problems } else { ExitCode::Fine })
}

/// The new state of a run, or why it is unchanged.
struct Outcome {
    id: String,
    recipe: String,
    state: RunState,
    refused: Option<String>,
}

async fn apply_to_all(
    journal: &dyn Journal,
    ids: &[String],
    which: &RunSelector,
    intervention: &Intervention,
    recipes: &Recipes,
) -> Result<Vec<Outcome>, Failure> {
    let mut outcomes = Vec::new();
    if ids.is_empty() {
        // A cause is of runs in a certain state.
        let usual = which.cause.is_none().then_some(intervention.default_state);
        let which = RunSelector { state: which.state.or(usual), ..which.clone() };
        let rows = which.rows(journal, &recipes.names(), None).await?;
        // In the order of their events, because of lanes.
        for row in rows.into_iter().rev() {
            outcomes.push(apply_to_one(journal, row, intervention, &recipes.sound).await?);
        }
    }
    for id in ids {
        let row = find(journal, id).await?;
        outcomes.push(apply_to_one(journal, row, intervention, &recipes.sound).await?);
    }
    Ok(outcomes)
}

async fn apply_to_one(
    journal: &dyn Journal,
    row: RunRow,
    intervention: &Intervention,
    recipes: &[CheckedRecipe],
) -> Result<Outcome, Failure> {
    let (id, recipe) = (row.id.to_string(), row.recipe.clone());
    let decided = decide(journal, &row, intervention, recipes).await?;
    let (state, refused) = match decided {
        Ok(state) => (state, None),
        Err(reason) => (row.state, Some(reason)),
    };
    Ok(Outcome { id, recipe, state, refused })
}

/// The new state of a run, or why it is unchanged.
async fn decide(
    journal: &dyn Journal,
    row: &RunRow,
    intervention: &Intervention,
    recipes: &[CheckedRecipe],
) -> Result<Result<RunState, String>, Failure> {
    let action = &intervention.action;
    let recipe =
        recipes.iter().find(|recipe| intervention.with_current_recipe && recipe.name() == row.recipe);
    let resolves = matches!(action, OperatorAction::Happened(_) | OperatorAction::DidNotHappen);
    if intervention.with_current_recipe && recipe.is_none() && resolves {
        return Ok(Err("its recipe is not in this workspace, or has mistakes".to_owned()));
    }
    let (ruled, seen) = match journal.run(&row.id).await {
        Ok(Some(detail)) => {
            let began = match &detail.run.version {
                Some(version) => journal.recipe(&row.recipe, version).await.map_err(Failure::unavailable)?,
                None => None,
            };
            let began = began.and_then(|text| text.recipe());
            (
                plan_intervention(action, detail.row.state, &detail.entries, recipe, began.as_ref()),
                detail.entries.len(),
            )
        }
        Ok(None) => return Ok(Err("it is gone".to_owned())),
        // A run that cannot be decoded can still be skipped.
        Err(Error::Corrupt { reason, .. }) if *action != OperatorAction::Skip => {
            return Ok(Err(format!("{reason}; `hob runs skip` gives it up")));
        }
        Err(Error::Corrupt { .. }) => (plan_intervention(action, row.state, &[], recipe, None), row.entries),
        Err(error) => return Err(Failure::unavailable(error)),
    };
    let Intervened { entries, state, reason } = match ruled {
        Ok(ruled) => ruled,
        Err(unfit) => return Ok(Err(unfit.to_string())),
    };
    if intervention.dry {
        return Ok(Ok(state));
    }
    if let Some(recipe) = recipe {
        journal.save_recipe(&RecipeText::from_recipe(recipe)).await.map_err(Failure::unavailable)?;
    }
    let now = Clock::system().now();
    let entries = entries.into_iter().map(|entry| StampedEntry::new(now, entry)).collect();
    let version = recipe.map(|recipe| recipe.version().to_owned());
    let update = RunUpdate { error: reason, version, ..RunUpdate::new(state, now) };
    let amended = journal.amend(&row.id, seen, entries, update).await.map_err(Failure::unavailable)?;
    Ok(amended
        .then_some(state)
        .ok_or_else(|| "it changed in the meantime; check it and try again".to_owned()))
}

/// Most reasons of runs that would be left as they are.
const MAX_REASONS: usize = 20;

/// Tells what would happen to how many runs.
fn preview(
    session: &mut Session,
    outcomes: &[Outcome],
    intervention: &Intervention,
) -> Result<ExitCode, Failure> {
    let what = match intervention.action {
        OperatorAction::Retry => "retried",
        OperatorAction::Restart => "done again from the start",
        OperatorAction::Skip => "skipped",
        OperatorAction::Happened(_) | OperatorAction::DidNotHappen => "resolved",
    };
    let mut done: IndexMap<&str, usize> = IndexMap::new();
    let mut left: IndexMap<(RunState, &str), Vec<&str>> = IndexMap::new();
    for outcome in outcomes {
        match &outcome.refused {
            None => *done.entry(&outcome.recipe).or_default() += 1,
            Some(reason) => left.entry((outcome.state, reason)).or_default().push(&outcome.id),
        }
    }
    let of: Vec<String> = done.iter().map(|(recipe, count)| format!("{count} of {recipe}")).collect();
    let of = if of.is_empty() { String::new() } else { format!(": {}", of.join(", ")) };
    session.streams.say(format!("{} would be {what}{of}", done.values().sum::<usize>()))?;
    left.sort_by(|_, one, _, other| other.len().cmp(&one.len()));
    for ((state, reason), runs) in left.iter().take(MAX_REASONS) {
        let (count, stays) = (runs.len(), if runs.len() == 1 { "stays" } else { "stay" });
        let example = runs.first().map(|run| format!(" ({run})")).unwrap_or_default();
        session.streams.say(format!("{count} {stays} {state}, because {reason}{example}"))?;
    }
    if left.len() > MAX_REASONS {
        session.streams.note("there are more reasons; --format json shows each run");
    }
    Ok(if left.is_empty() { ExitCode::Fine } else { ExitCode::Problems })
}

fn print(session: &mut Session, outcomes: &[Outcome], format: Format) -> Result<(), Failure> {
    if format == Format::Json {
        let rows = outcomes.iter().map(|outcome| {
            json!({ "id": outcome.id, "recipe": outcome.recipe, "state": outcome.state, "refused": outcome.refused })
        });
        session.streams.json(&rows.collect::<Vec<_>>())?;
        return Ok(());
    }
    for Outcome { id, recipe, state, refused } in outcomes {
        match refused {
            None => session.streams.say(format!("{id}  {recipe}  {state}"))?,
            Some(reason) => session.streams.note(format!("{id}  {recipe}  left as it is: {reason}")),
        }
    }
    match outcomes
        .iter()
        .filter(|outcome| outcome.refused.is_none() && outcome.state == RunState::Waiting)
        .count()
    {
        0 if outcomes.is_empty() => session.streams.note("no runs match"),
        0 => {}
        _ => session.streams.note("a running `hob run` picks them up at once; otherwise the next one does"),
    }
    Ok(())
}
