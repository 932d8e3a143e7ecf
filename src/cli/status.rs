//! `hob status`: an overview on one page.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use serde::Serialize;

use super::recipes::Recipes;
use super::runs::Since;
use super::store::open_existing;
use super::table::table;
use super::{ExitCode, Failure, Format, Output, Session, StoreChoice, runtime};
use crate::alert::unreached_destinations;
use crate::clock::Clock;
use crate::journal::{Access, Error, HeldConnection, Journal, RunFilter, RunRow, Totals};
use crate::overview::{
    Known, PausedOn, PollRow, Problem, RecipeRow, Subject, WorkspaceStatus, time, withheld_removals,
};
use crate::printable;
use crate::run::RunState;
use crate::workspace::Workspace;

/// Most characters of a line.
const MAX_LENGTH: usize = 2_000;

/// How long a failed run counts as recent.
const LATELY: TimeDelta = TimeDelta::hours(24);
/// Parked runs listed one by one in JSON.
const PARKED_SHOWN: usize = 20;

/// Show an overview: recipes, failing polls, runs that need you
#[derive(Debug, Args)]
#[command(
    after_help = "Shows the content of the store, whether or not hob runs. STATE is ok, failing (its last polls \
failed), withholding (too many records are gone at once for it to report them as removed), waiting (for the request \
budget of its connection), paused, broken (its file has mistakes) or new \
(no event yet).\n\nProblems are told by cause and not by run: runs that are parked, or that failed within --since, for the same reason at \
the same step of a recipe are one, whatever the ids, numbers and quoted values of their events. With each are the place in the \
recipe and the commands that do something about all of its runs.\n\nExamples:\n  hob status\n  \
hob status --since 24h\n  hob status --format json\n  hob status --sandbox"
)]
pub struct Status {
    /// Tell problems of runs created since then: a duration such as 2h, a date or a time
    #[arg(long, value_name = "WHEN", default_value = "7d")]
    since: Since,
    #[command(flatten)]
    store: StoreChoice,
    #[command(flatten)]
    output: Output,
}

/// The whole page. Scripts rely on these fields.
#[derive(Debug, Serialize)]
struct Page {
    /// The store, without credentials.
    store: String,
    /// Events and runs by state.
    #[serde(flatten)]
    totals: Totals,
    /// Runs of the last 24 hours by state.
    last_day: BTreeMap<String, u64>,
    recipes: Vec<RecipeRow>,
    polls: Vec<PollRow>,
    /// Connections with a refused credential: their polls and runs wait.
    held: Vec<HeldConnection>,
    /// The newest runs that wait for a person.
    parked: Vec<RunRow>,
    /// What is wrong, by cause, the most urgent first.
    problems: Vec<Problem>,
    /// Whether these are all: of very many failed or parked runs, only the newest are read.
    problems_complete: bool,
}

/// Counts and runs, besides how the workspace stands.
#[derive(Default)]
struct Counts {
    totals: Totals,
    lately: Totals,
    parked: Vec<RunRow>,
    unreached: Vec<Problem>,
}

impl Counts {
    async fn load(journal: &dyn Journal, workspace: &Workspace) -> Result<Self, Error> {
        let parked =
            RunFilter { state: Some(RunState::Parked), limit: Some(PARKED_SHOWN), ..RunFilter::default() };
        Ok(Self {
            totals: journal.totals(None).await?,
            lately: journal.totals(Some(Clock::system().now() - LATELY)).await?,
            parked: journal.runs(&parked).await?,
            unreached: unreached_destinations(journal.alerts().await?, &workspace.alerts),
        })
    }
}

impl Status {
    /// Prints it.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let workspace = session.workspace_or_its_sandbox(&[], self.store)?;
        let recipes = Recipes::load(session, &[], &workspace.catalog, Some(&workspace))?;
        let now = Clock::system().now();
        let subject = Subject {
            recipes: &recipes.sound,
            names: recipes.names(),
            connections: workspace.accounts.keys().cloned().collect(),
            ending: workspace.ending_consents(now),
            options: if self.store.sandbox { " --sandbox" } else { "" },
        };
        let (known, mut counts) = runtime::block_on(async {
            let Some(journal) = open_existing(&workspace, Access::Client).await? else {
                return Ok(Default::default());
            };
            let known = Known::load(journal.as_ref(), &subject, self.since.before(now)).await;
            let counts = Counts::load(journal.as_ref(), &workspace).await;
            journal.close().await;
            Ok::<_, Failure>((known.map_err(Failure::unavailable)?, counts.map_err(Failure::unavailable)?))
        })??;
        let mut status = WorkspaceStatus::new(&subject, known);
        status.add_problems(std::mem::take(&mut counts.unreached));
        let page = Page::new(&workspace, status, counts);
        match self.output.format {
            Format::Json => session.streams.json(&page)?,
            Format::Text => session.streams.print(&page.text())?,
        }
        Ok(ExitCode::Fine)
    }
}

impl Page {
    fn new(workspace: &Workspace, status: WorkspaceStatus, counts: Counts) -> Self {
        let WorkspaceStatus { recipes, polls, held, problems, problems_complete } = status;
        Self {
            store: workspace.store.to_string(),
            totals: counts.totals,
            last_day: counts.lately.runs,
            recipes,
            polls,
            held,
            parked: counts.parked,
            problems,
            problems_complete,
        }
    }

    /// For people.
    fn text(&self) -> String {
        let mut lines =
            vec![format!("store  {}", self.store), format!("runs   {}", self.counts()), String::new()];
        let cell = |at: Option<DateTime<Utc>>| at.map_or_else(|| "-".to_owned(), time);
        let rows = self.recipes.iter().map(|row| {
            let trigger = row.trigger.unwrap_or("-").to_owned();
            vec![row.recipe.clone(), trigger, row.state.to_owned(), cell(row.last_event), cell(row.next_due)]
        });
        match self.recipes.is_empty() {
            true => lines.push("no recipes".to_owned()),
            false => lines.push(table(&["RECIPE", "TRIGGER", "STATE", "LAST EVENT", "NEXT"], rows)),
        }
        lines.extend(self.problem_lines());
        let mut section = |title: &str, rows: Vec<String>| {
            if !rows.is_empty() {
                lines.extend([String::new(), title.to_owned()]);
                lines.extend(rows.into_iter().map(|row| format!("  {}", printable::line(&row, MAX_LENGTH))));
            }
        };
        section(
            "Removed records that polls do not report, because too many are gone at once",
            withheld_removals(&self.polls),
        );
        section(
            "Records that were moved out of the window of time of a poll, and do not count as removed",
            self.polls.iter().filter_map(PollRow::moved).collect(),
        );
        let waiting = self.polls.iter().filter_map(|poll| {
            let reason = poll.waits.as_ref()?;
            Some(format!("{} on {}: until {}: {reason}", poll.recipe, poll.connection, time(poll.due)))
        });
        section("Polls that wait", waiting.collect());
        section(
            "Parents whose lists the last poll could not read",
            self.polls.iter().filter_map(PollRow::skipped).collect(),
        );
        section("Polls whose interval adapts", self.polls.iter().filter_map(PollRow::pace).collect());
        let paused = self.recipes.iter().flat_map(|row| {
            let recipe = &row.recipe;
            let everywhere = row
                .paused_since
                .map(|since| format!("{recipe} since {}; `hob resume {recipe}` lets it go on", time(since)));
            let on = row.paused_on.iter().map(move |PausedOn { connection, since }| {
                let command = format!("hob resume {recipe} --connection {connection}");
                format!("{recipe} on {connection} since {}; `{command}` lets it go on", time(*since))
            });
            everywhere.into_iter().chain(on)
        });
        section("Paused", paused.collect());
        lines.push(String::new());
        lines.join("\n")
    }

    /// The problems, each with its place and what to do.
    fn problem_lines(&self) -> Vec<String> {
        if self.problems.is_empty() {
            return Vec::new();
        }
        let mut lines = vec![String::new(), "Problems".to_owned()];
        let mut say =
            |indent: &str, text: &str| lines.push(format!("{indent}{}", printable::line(text, MAX_LENGTH)));
        for problem in &self.problems {
            say("  ", &problem.summary);
            if let Some(place) = &problem.place {
                say("      ", &format!("at {place}"));
            }
            if let Some(help) = &problem.help {
                say("      ", help);
            }
            if let Some(run) = &problem.example {
                say("      ", &format!("the newest is {run}"));
            }
            problem.commands.iter().for_each(|command| say("      ", command));
        }
        if !self.problems_complete {
            say("  ", "there are more: only the newest failed and parked runs, and causes, are told");
        }
        lines
    }

    /// `3 waiting, 2 failed (1 in the last 24 hours)`
    fn counts(&self) -> String {
        let all = self.totals.runs.iter().map(|(state, count)| {
            let lately = self.last_day.get(state).copied().unwrap_or_default();
            let lately = match state.as_str() {
                "failed" => format!(" ({lately} in the last 24 hours)"),
                _ => String::new(),
            };
            format!("{count} {state}{lately}")
        });
        let all: Vec<String> = all.collect();
        if all.is_empty() { "none".to_owned() } else { all.join(", ") }
    }
}
