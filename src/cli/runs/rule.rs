//! `hob runs retry`, `skip` and `resolve`: a person's word on runs that hob has given up on.

use anyhow::{Context, anyhow};
use clap::Args;
use serde_json::{Value, json};

use super::which::{Which, find};
use crate::check::CheckedRecipe;
use crate::cli::recipes::Recipes;
use crate::cli::store::open_present;
use crate::cli::{ExitCode, Failure, Format, Output, Session, StoreChoice, runtime};
use crate::clock::Clock;
use crate::journal::{Access, Error, Journal, RecipeText, RunRow, RunUpdate};
use crate::run::{Ruled, Ruling, RunState, StampedEntry, rule};
use crate::value::read_json_text;

/// Continue runs that failed, with the recipe as it is now
#[derive(Debug, Args)]
#[command(
    after_help = "A run continues from the step that failed; completed steps are not repeated. A running \
`hob run` picks it up at once; otherwise the next one does. Parked runs need `hob runs resolve` first.\n\n\
Examples:\n  hob runs retry run_0199d2c4\n  hob runs retry --recipe clients-to-contacts --since 2h\n  \
hob runs retry --state failed\n  hob runs retry run_0199d2c4 --from-start"
)]
pub struct Retry {
    /// Ids of the runs, or their beginnings
    #[arg(value_name = "RUN")]
    ids: Vec<String>,
    #[command(flatten)]
    which: Which,
    /// Do everything again, including completed steps
    #[arg(long)]
    from_start: bool,
    #[command(flatten)]
    store: StoreChoice,
    #[command(flatten)]
    output: Output,
}

/// Give up on runs that failed, wait or are parked, so that the runs behind them continue
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  hob runs skip run_0199d2c4\n  hob runs skip --state parked --recipe leads"
)]
pub struct Skip {
    /// Ids of the runs, or their beginnings
    #[arg(value_name = "RUN")]
    ids: Vec<String>,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    store: StoreChoice,
    #[command(flatten)]
    output: Output,
}

/// Tell hob whether the unclear step of parked runs happened
#[derive(Debug, Args)]
#[command(
    after_help = "Check in the app whether the record is there. With --happened a run continues after \
the step; with --did-not it sends the step again. It goes on with the recipe that it began with, unless \
--with-current-recipe is given.\n\n\
Examples:\n  hob runs resolve run_0199d2c4 --did-not\n  \
hob runs resolve run_0199d2c4 --happened --result '{\"id\": \"ocQHyuzHvysMo5N5VsXc\"}'\n  \
hob runs resolve --recipe leads --since 2h --did-not --with-current-recipe"
)]
pub struct Resolve {
    /// Ids of the runs, or their beginnings
    #[arg(value_name = "RUN")]
    ids: Vec<String>,
    #[command(flatten)]
    which: Which,
    /// The step happened
    #[arg(long, required_unless_present = "did_not", conflicts_with = "did_not")]
    happened: bool,
    /// The step did not happen
    #[arg(long)]
    did_not: bool,
    /// What later steps see as its result, as JSON [default: null]
    #[arg(long, value_name = "JSON", requires = "happened")]
    result: Option<String>,
    /// Continue with the recipe as it is now
    #[arg(long)]
    with_current_recipe: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    store: StoreChoice,
}

impl Retry {
    /// Rules.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let ruling = if self.from_start { Ruling::Restart } else { Ruling::Retry };
        let asked = Asked { usual: RunState::Failed, ruling, current: true };
        many(session, &self.ids, &self.which, self.store, &asked, self.output.format)
    }
}

impl Skip {
    /// Rules.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let asked = Asked { usual: RunState::Failed, ruling: Ruling::Skip, current: false };
        many(session, &self.ids, &self.which, self.store, &asked, self.output.format)
    }
}

impl Resolve {
    /// Rules.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let ruling = match &self.result {
            _ if self.did_not => Ruling::DidNotHappen,
            None => Ruling::Happened(Value::Null),
            Some(text) => Ruling::Happened(
                read_json_text(text).context("--result is not JSON").map_err(Failure::usage)?,
            ),
        };
        if self.result.is_some() && self.ids.len() != 1 {
            return Err(Failure::usage(anyhow!("--result is the result of one step; name one run")));
        }
        let asked = Asked { usual: RunState::Parked, ruling, current: self.with_current_recipe };
        many(session, &self.ids, &self.which, self.store, &asked, self.output.format)
    }
}

/// What a person asked for.
struct Asked {
    /// The state of the runs that are meant, unless the filter names another.
    usual: RunState,
    ruling: Ruling,
    /// The runs go on with the recipe as it is now.
    current: bool,
}

/// Rules over the runs called `ids`, or over those that `which` means.
fn many(
    session: &mut Session,
    ids: &[String],
    which: &Which,
    store: StoreChoice,
    asked: &Asked,
    format: Format,
) -> Result<ExitCode, Failure> {
    if ids.is_empty() && which.is_everything() {
        let reason = "which runs? Give ids, or --recipe, --state, --record, --since or --text";
        return Err(Failure::usage(anyhow!(reason)));
    }
    if !ids.is_empty() && !which.is_everything() {
        return Err(Failure::usage(anyhow!("give ids or filters, not both")));
    }
    let workspace = session.workspace_or_its_sandbox(&[], store)?;
    let recipes = Recipes::load(session, &[], &workspace.catalog, Some(&workspace))?.sound;
    let told = runtime::block_on(async {
        let Some(journal) = open_present(&workspace, Access::Client).await? else {
            return Err(Failure::usage(anyhow!("there is no history yet")));
        };
        let told = each(journal.as_ref(), ids, which, asked, &recipes).await;
        journal.close().await;
        told
    })??;
    tell(session, &told, format)?;
    let refused = told.iter().any(|told| told.refused.is_some());
    Ok(if refused { ExitCode::Problems } else { ExitCode::Fine })
}

/// What became of a run.
struct Told {
    id: String,
    recipe: String,
    state: RunState,
    refused: Option<String>,
}

async fn each(
    journal: &dyn Journal,
    ids: &[String],
    which: &Which,
    asked: &Asked,
    recipes: &[CheckedRecipe],
) -> Result<Vec<Told>, Failure> {
    let mut told = Vec::new();
    if ids.is_empty() {
        let which = Which { state: which.state.or(Some(asked.usual)), ..which.clone() };
        let rows = journal.runs(&which.filter(None)).await.map_err(Failure::world)?;
        // In the order of their events, as their lanes have it.
        for row in rows.into_iter().rev() {
            told.push(one(journal, row, asked, recipes).await?);
        }
    }
    for id in ids {
        let row = find(journal, id).await?;
        told.push(one(journal, row, asked, recipes).await?);
    }
    Ok(told)
}

async fn one(
    journal: &dyn Journal,
    row: RunRow,
    asked: &Asked,
    recipes: &[CheckedRecipe],
) -> Result<Told, Failure> {
    let (id, recipe) = (row.id.to_string(), row.recipe.clone());
    let decided = decide(journal, &row, asked, recipes).await?;
    let (state, refused) = match decided {
        Ok(state) => (state, None),
        Err(reason) => (row.state, Some(reason)),
    };
    Ok(Told { id, recipe, state, refused })
}

/// Where the run stands then, or why nothing was decided.
async fn decide(
    journal: &dyn Journal,
    row: &RunRow,
    asked: &Asked,
    recipes: &[CheckedRecipe],
) -> Result<Result<RunState, String>, Failure> {
    let ruling = &asked.ruling;
    let recipe = recipes.iter().find(|recipe| asked.current && recipe.name() == row.recipe);
    let resolves = matches!(ruling, Ruling::Happened(_) | Ruling::DidNotHappen);
    if asked.current && recipe.is_none() && resolves {
        return Ok(Err("its recipe is not in this workspace, or has mistakes".to_owned()));
    }
    let (ruled, seen) = match journal.run(&row.id).await {
        Ok(Some(detail)) => {
            let began = match &detail.run.version {
                Some(version) => journal.recipe(&row.recipe, version).await.map_err(Failure::world)?,
                None => None,
            };
            let began = began.and_then(|text| text.recipe());
            (rule(ruling, detail.row.state, &detail.entries, recipe, began.as_ref()), detail.entries.len())
        }
        Ok(None) => return Ok(Err("it is gone".to_owned())),
        // What cannot be read can still be given up.
        Err(Error::Corrupt { reason, .. }) if *ruling != Ruling::Skip => {
            return Ok(Err(format!("{reason}; `hob runs skip` gives it up")));
        }
        Err(Error::Corrupt { .. }) => (rule(ruling, row.state, &[], recipe, None), row.entries),
        Err(error) => return Err(Failure::world(error)),
    };
    let Ruled { entries, state, reason } = match ruled {
        Ok(ruled) => ruled,
        Err(unfit) => return Ok(Err(unfit.to_string())),
    };
    if let Some(recipe) = recipe {
        journal.save_recipe(&RecipeText::of(recipe)).await.map_err(Failure::world)?;
    }
    let now = Clock::system().now();
    let entries = entries.into_iter().map(|entry| StampedEntry::new(now, entry)).collect();
    let version = recipe.map(|recipe| recipe.version().to_owned());
    let update = RunUpdate { error: reason, version, ..RunUpdate::new(state, now) };
    let amended = journal.amend(&row.id, seen, entries, update).await.map_err(Failure::world)?;
    Ok(amended
        .then_some(state)
        .ok_or_else(|| "it changed in the meantime; check it and try again".to_owned()))
}

fn tell(session: &mut Session, told: &[Told], format: Format) -> Result<(), Failure> {
    if format == Format::Json {
        let rows = told.iter().map(|told| {
            json!({ "id": told.id, "recipe": told.recipe, "state": told.state, "refused": told.refused })
        });
        session.streams.json(&rows.collect::<Vec<_>>())?;
        return Ok(());
    }
    for Told { id, recipe, state, refused } in told {
        match refused {
            None => session.streams.say(format!("{id}  {recipe}  {state}"))?,
            Some(reason) => session.streams.note(format!("{id}  {recipe}  left as it is: {reason}")),
        }
    }
    match told.iter().filter(|told| told.refused.is_none() && told.state == RunState::Waiting).count() {
        0 if told.is_empty() => session.streams.note("no runs match"),
        0 => {}
        _ => session.streams.note("a running `hob run` picks them up at once; otherwise the next one does"),
    }
    Ok(())
}
