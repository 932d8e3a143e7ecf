//! `hob runs retry`, `skip` and `resolve`: a person's word on runs that hob has given up on.

use anyhow::{Context, anyhow};
use clap::Args;
use serde_json::{Value, json};

use super::which::{Which, find};
use crate::check::CheckedRecipe;
use crate::cli::recipes::Recipes;
use crate::cli::store::open_present;
use crate::cli::{ExitCode, Failure, Format, Output, Session, runtime};
use crate::clock::Clock;
use crate::journal::{Access, Journal, RunDetail, RunUpdate};
use crate::run::{Ruled, Ruling, RunState, StampedEntry, rule};

/// Go on with runs that failed, with the recipe as it is now
#[derive(Debug, Args)]
#[command(
    after_help = "A run goes on from the step that failed; what is done stays done. `hob run` performs \
it, a running one at once. A parked run is resolved first.\n\n\
Examples:\n  hob runs retry run_0199d2c4\n  hob runs retry --recipe clients-to-contacts --since 2h\n  \
hob runs retry --state failed\n  hob runs retry run_0199d2c4 --from-start"
)]
pub struct Retry {
    /// The runs, by their ids or the beginnings of these
    #[arg(value_name = "RUN")]
    ids: Vec<String>,
    #[command(flatten)]
    which: Which,
    /// Do everything again, also what is done
    #[arg(long)]
    from_start: bool,
    #[command(flatten)]
    output: Output,
}

/// Leave runs that failed, wait or are parked, and let their lanes go on
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  hob runs skip run_0199d2c4\n  hob runs skip --state parked --recipe leads"
)]
pub struct Skip {
    /// The runs, by their ids or the beginnings of these
    #[arg(value_name = "RUN")]
    ids: Vec<String>,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    output: Output,
}

/// Tell whether the step that a run is parked over happened
#[derive(Debug, Args)]
#[command(after_help = "Look into the app: is the record there? With --happened the run goes on after the \
step, with --did-not it sends it again.\n\n\
Examples:\n  hob runs resolve run_0199d2c4 --did-not\n  \
hob runs resolve run_0199d2c4 --happened --result '{\"id\": \"ocQHyuzHvysMo5N5VsXc\"}'")]
pub struct Resolve {
    /// The run's id, or its beginning
    #[arg(value_name = "RUN")]
    id: String,
    /// It happened
    #[arg(long, required_unless_present = "did_not", conflicts_with = "did_not")]
    happened: bool,
    /// It did not happen
    #[arg(long)]
    did_not: bool,
    /// What later steps see as its result, as JSON [default: null]
    #[arg(long, value_name = "JSON", requires = "happened")]
    result: Option<String>,
    #[command(flatten)]
    output: Output,
}

impl Retry {
    /// Rules.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let ruling = if self.from_start { Ruling::Restart } else { Ruling::Retry };
        many(session, &self.ids, &self.which, RunState::Failed, &ruling, self.output.format)
    }
}

impl Skip {
    /// Rules.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        many(session, &self.ids, &self.which, RunState::Failed, &Ruling::Skip, self.output.format)
    }
}

impl Resolve {
    /// Rules.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let ruling = match &self.result {
            _ if self.did_not => Ruling::DidNotHappen,
            None => Ruling::Happened(Value::Null),
            Some(text) => Ruling::Happened(
                serde_json::from_str(text).context("--result is not JSON").map_err(Failure::usage)?,
            ),
        };
        let ids = std::slice::from_ref(&self.id);
        many(session, ids, &Which::default(), RunState::Parked, &ruling, self.output.format)
    }
}

/// Rules over the runs called `ids`, or over those that `which` means, in state `usual` unless it says
/// another.
fn many(
    session: &mut Session,
    ids: &[String],
    which: &Which,
    usual: RunState,
    ruling: &Ruling,
    format: Format,
) -> Result<ExitCode, Failure> {
    if ids.is_empty() && which.is_everything() {
        let reason = "which runs? Give ids, or --recipe, --state, --record, --since or --text";
        return Err(Failure::usage(anyhow!(reason)));
    }
    if !ids.is_empty() && !which.is_everything() {
        return Err(Failure::usage(anyhow!("give ids or conditions, not both")));
    }
    let workspace = session.workspace(&[])?;
    let recipes = Recipes::load(session, &[], &workspace.catalog, Some(&workspace))?.sound;
    let told = runtime::block_on(async {
        let Some(journal) = open_present(&workspace, Access::Client).await? else {
            return Err(Failure::usage(anyhow!("there is no history yet")));
        };
        let told = each(journal.as_ref(), ids, which, usual, ruling, &recipes).await;
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
    usual: RunState,
    ruling: &Ruling,
    recipes: &[CheckedRecipe],
) -> Result<Vec<Told>, Failure> {
    let mut details = Vec::new();
    if ids.is_empty() {
        let which = Which { state: which.state.or(Some(usual)), ..which.clone() };
        let mut rows = journal.runs(&which.filter(None)).await.map_err(Failure::world)?;
        // In the order of their events, as their lanes have it.
        rows.reverse();
        for row in rows {
            details.extend(journal.run(&row.id).await.map_err(Failure::world)?);
        }
    }
    for id in ids {
        details.push(find(journal, id).await?);
    }
    let mut told = Vec::with_capacity(details.len());
    for detail in details {
        told.push(one(journal, detail, ruling, recipes).await?);
    }
    Ok(told)
}

async fn one(
    journal: &dyn Journal,
    detail: RunDetail,
    ruling: &Ruling,
    recipes: &[CheckedRecipe],
) -> Result<Told, Failure> {
    let recipe = recipes.iter().find(|recipe| recipe.name() == detail.row.recipe);
    let before = detail.row.state;
    let told = |state, refused| Told {
        id: detail.row.id.to_string(),
        recipe: detail.row.recipe.clone(),
        state,
        refused,
    };
    let Ruled { entries, state, reason } = match rule(ruling, before, &detail.entries, recipe) {
        Ok(ruled) => ruled,
        Err(unfit) => return Ok(told(before, Some(unfit.to_string()))),
    };
    let now = Clock::system().now();
    let entries = entries.into_iter().map(|entry| StampedEntry { at: now, entry }).collect();
    let update = RunUpdate {
        state,
        due: None,
        error: reason,
        version: None,
        holds_lane: false,
        writes: Vec::new(),
        now,
    };
    let amended = journal.amend(&detail.row.id, detail.entries.len(), entries, update).await;
    Ok(match amended.map_err(Failure::world)? {
        true => told(state, None),
        false => told(before, Some("it went on meanwhile; look at it again".to_owned())),
    })
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
        0 if told.is_empty() => session.streams.note("no such runs"),
        0 => {}
        _ => session.streams.note("`hob run` goes on with them, a running one at once"),
    }
    Ok(())
}
