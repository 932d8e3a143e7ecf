//! `hob plan`.

use std::path::PathBuf;

use chrono::{NaiveTime, TimeDelta};
use clap::Args;
use serde::Serialize;

use super::history::History;
use super::limits::accounts;
use super::text::text;
use crate::cli::counters::counter_states;
use crate::cli::recipes::{BrokenRecipe, Recipes};
use crate::cli::store::open_existing;
use crate::cli::{ExitCode, Failure, Format, Output, Session, StoreChoice, runtime};
use crate::clock::Clock;
use crate::connection::CounterState;
use crate::journal::Access;
use crate::plan::{Assumptions, Input, Period, Plan, plan};
use crate::workspace::Workspace;

/// Plan the requests a day against the limits of the APIs, before anything runs
#[derive(Debug, Args)]
#[command(
    after_help = "Counts, for each counter of the APIs, what polls, sweeps and the steps of runs will send, when it runs \
dry, and what to change. Sends nothing. How many events there are is taken from the history of the store, or from \
--assume NAME=NUMBER:\n\n\
  events=500         events a day of each recipe, on each account\n  \
RECIPE=500         the same, of one recipe\n  \
items=3            items of each list of a `for_each`\n  \
RECIPE/STEP=0.5    how often a run performs a step\n  \
if=50%, when=80%   how often conditions hold\n  \
records=2000       records of each list that is read to its end\n  \
OPERATION=2000     the same, of one list\n\n\
Exits with 1 if a counter is over its limit, on the first day or on every one, or a recipe has mistakes, and with 2 for wrong usage.\n\n\
Examples:\n  hob plan\n  hob plan --assume events=500 --assume items=3\n  hob plan recipes/new-client.yaml --assume \
new-client=1000\n  hob plan --once\n  hob plan --format json"
)]
pub struct PlanCommand {
    /// Recipe files or folders, or names of recipes [default: all recipes of the workspace]
    #[arg(value_name = "PATH|NAME")]
    paths: Vec<PathBuf>,
    /// What to assume where the number of requests depends on data; may be repeated
    #[arg(long, value_name = "NAME=NUMBER")]
    assume: Vec<String>,
    /// Plan what one `hob run --once` would send now, instead of a day
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    store: StoreChoice,
    #[command(flatten)]
    output: Output,
}

/// The plan as JSON.
#[derive(Debug, Serialize)]
struct Page<'a> {
    #[serde(flatten)]
    plan: &'a Plan,
    /// Recipes that are not planned.
    left_out: &'a [BrokenRecipe],
}

impl PlanCommand {
    /// Prints the plan.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let assumptions = Assumptions::parse(&self.assume).map_err(Failure::usage)?;
        let workspace = session.workspace_or_its_sandbox(&self.paths, self.store)?;
        let recipes = Recipes::load_chosen(session, &self.paths, &workspace.catalog, &workspace)?;
        recipes.reports.iter().filter(|report| report.has_errors()).for_each(|report| session.show(report));
        assumptions.check(&recipes.sound).map_err(Failure::usage)?;
        let (states, history) = known(&workspace, &recipes)?;
        let now = Clock::system().now();
        let tomorrow = (now + TimeDelta::days(1)).date_naive().and_time(NaiveTime::MIN).and_utc();
        let plan = plan(&Input {
            recipes: &recipes.sound,
            accounts: &accounts(&workspace, &states),
            assumptions: &assumptions,
            history: &history.recipes,
            polls: &history.polls,
            period: if self.once { Period::Once } else { Period::Day(tomorrow) },
        });
        match self.output.format {
            Format::Json => session.streams.json(&Page { plan: &plan, left_out: &recipes.broken })?,
            Format::Text => session.streams.print(&text(&plan, session.streams.output_is_terminal))?,
        }
        for recipe in &recipes.broken {
            session.streams.note(format!("left out: {recipe}"));
        }
        let is_bad = plan.over || !recipes.broken.is_empty();
        Ok(if is_bad { ExitCode::Problems } else { ExitCode::Fine })
    }
}

/// What is known of the counters and of the past.
fn known(
    workspace: &Workspace,
    recipes: &Recipes,
) -> Result<(indexmap::IndexMap<String, CounterState>, History), Failure> {
    runtime::block_on(async {
        let now = Clock::system().now();
        let journal = open_existing(workspace, Access::Client).await?;
        let states = counter_states(workspace, journal.as_deref(), now).await?;
        let history = match &journal {
            Some(journal) => History::read(journal.as_ref(), &recipes.sound, now).await,
            None => Ok(History::default()),
        };
        if let Some(journal) = &journal {
            journal.close().await;
        }
        Ok::<_, Failure>((states, history.map_err(Failure::unavailable)?))
    })?
}
