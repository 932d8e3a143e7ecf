//! `hob status`: an overview on one page.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use serde::Serialize;

use super::polls::{PollRow, time, withheld_removals};
use super::recipes::Recipes;
use super::runs::Since;
use super::store::open_existing;
use super::table::table;
use super::{ExitCode, Failure, Format, Output, Session, StoreChoice, runtime};
use crate::check::CheckedRecipe;
use crate::clock::Clock;
use crate::event::Cursor;
use crate::journal::{Access, Error, HeldConnection, Journal, RunFilter, RunRow, Totals, paused};
use crate::overview::{Problem, RunProblems, run_problems};
use crate::printable;
use crate::recipe::Trigger;
use crate::run::RunState;
use crate::workspace::Workspace;

/// Most characters of a line.
const MAX_LENGTH: usize = 2_000;

/// How long a failed run counts as recent.
const LATELY: TimeDelta = TimeDelta::hours(24);
/// Parked runs listed one by one in JSON.
const PARKED_SHOWN: usize = 20;
/// How long before its end a token that cannot be renewed is a problem.
const CONSENT_ENDS_SOON: TimeDelta = TimeDelta::days(7);

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

/// A recipe.
#[derive(Debug, Serialize)]
struct RecipeRow {
    recipe: String,
    /// `poll`, `webhook`, `schedule`, `manual`; null if unreadable.
    trigger: Option<&'static str>,
    state: &'static str,
    paused_since: Option<DateTime<Utc>>,
    /// When its newest event was received.
    last_event: Option<DateTime<Utc>>,
    /// When it polls or starts next, if known.
    next_due: Option<DateTime<Utc>>,
}

/// What the store contains.
#[derive(Default)]
struct Known {
    totals: Totals,
    lately: Totals,
    cursors: Vec<Cursor>,
    paused: BTreeMap<String, DateTime<Utc>>,
    held: Vec<HeldConnection>,
    parked: Vec<RunRow>,
    newest: BTreeMap<String, DateTime<Utc>>,
    of_runs: RunProblems,
}

impl Known {
    async fn load(
        journal: &dyn Journal,
        recipes: &Recipes,
        since: DateTime<Utc>,
        options: &str,
    ) -> Result<Self, Error> {
        let mut newest = BTreeMap::new();
        for name in recipes.names() {
            let filter = RunFilter { recipe: Some(name.clone()), limit: Some(1), ..RunFilter::default() };
            if let Some(run) = journal.runs(&filter).await?.first() {
                newest.insert(name, run.created);
            }
        }
        let parked =
            RunFilter { state: Some(RunState::Parked), limit: Some(PARKED_SHOWN), ..RunFilter::default() };
        Ok(Self {
            totals: journal.totals(None).await?,
            lately: journal.totals(Some(Clock::system().now() - LATELY)).await?,
            cursors: journal.cursors().await?,
            paused: paused(journal).await?,
            held: journal.held_connections().await?,
            parked: journal.runs(&parked).await?,
            newest,
            of_runs: run_problems(journal, &recipes.sound, since, options).await?,
        })
    }
}

impl Status {
    /// Prints it.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let workspace = session.workspace_or_its_sandbox(&[], self.store)?;
        let recipes = Recipes::load(session, &[], &workspace.catalog, Some(&workspace))?;
        let now = Clock::system().now();
        let options = if self.store.sandbox { " --sandbox" } else { "" };
        let known = runtime::block_on(async {
            let Some(journal) = open_existing(&workspace, Access::Client).await? else {
                return Ok(Known::default());
            };
            let known = Known::load(journal.as_ref(), &recipes, self.since.before(now), options).await;
            let known = known.map_err(Failure::unavailable);
            journal.close().await;
            known
        })??;
        let page = Page::new(&workspace, &recipes, known);
        match self.output.format {
            Format::Json => session.streams.json(&page)?,
            Format::Text => session.streams.print(&page.text())?,
        }
        Ok(ExitCode::Fine)
    }
}

impl Page {
    fn new(workspace: &Workspace, recipes: &Recipes, known: Known) -> Self {
        let sound = &recipes.sound;
        // A cursor outlives its recipe and its connection.
        let mut polls: Vec<PollRow> = known.cursors.iter().filter_map(PollRow::from_cursor).collect();
        polls.retain(|poll| {
            workspace.accounts.contains_key(&poll.connection)
                && sound.iter().any(|recipe| recipe.name() == poll.recipe)
        });
        let row = |name: String| {
            let recipe = sound.iter().find(|recipe| recipe.name() == name);
            let is_own = |cursor: &&Cursor| cursor.key.belongs_to(&name) && !cursor.key.is_secondary();
            let due = known.cursors.iter().filter(is_own).map(|cursor| cursor.due);
            let mine: Vec<&PollRow> = polls.iter().filter(|poll| poll.recipe == name).collect();
            let (paused_since, last_event) = (known.paused.get(&name), known.newest.get(&name));
            let state = match recipe {
                _ if paused_since.is_some() => "paused",
                None => "broken",
                Some(_) if mine.iter().any(|poll| poll.fails()) => "failing",
                Some(_) if mine.iter().any(|poll| poll.withheld.is_some()) => "withholding",
                Some(_) if mine.iter().any(|poll| poll.waits.is_some()) => "waiting",
                Some(_) if mine.iter().all(|poll| poll.succeeded.is_none()) && last_event.is_none() => "new",
                Some(_) => "ok",
            };
            RecipeRow {
                trigger: recipe.map(trigger),
                state,
                paused_since: paused_since.copied(),
                last_event: last_event.copied(),
                next_due: due.min().filter(|due| paused_since.is_none() && *due < DateTime::<Utc>::MAX_UTC),
                recipe: name,
            }
        };
        let rows = recipes.names().into_iter().map(row).collect();
        let is_current = |cursor: &&Cursor| {
            polls.iter().any(|poll| {
                cursor.key.belongs_to(&poll.recipe)
                    && cursor.health.connection.as_ref() == Some(&poll.connection)
            })
        };
        let mut problems: Vec<Problem> = known.held.iter().map(Problem::held).collect();
        problems.extend(known.cursors.iter().filter(is_current).filter_map(Problem::failing_poll));
        problems.extend(workspace.accounts.values().filter_map(|account| {
            let now = Clock::system().now();
            account
                .consent_ends(now)
                .filter(|ends| ends.is_none_or(|ends| ends < now + CONSENT_ENDS_SOON))
                .map(|ends| Problem::consent(&account.name, ends))
        }));
        let Known { totals, lately, held, parked, of_runs, .. } = known;
        problems.extend(of_runs.problems);
        problems.sort_by_key(|problem| problem.kind);
        Self {
            store: workspace.store.to_string(),
            totals,
            last_day: lately.runs,
            recipes: rows,
            polls,
            held,
            parked,
            problems,
            problems_complete: of_runs.complete,
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
        let paused = self.recipes.iter().filter_map(|row| {
            let since = time(row.paused_since?);
            Some(format!("{} since {since}; `hob resume {}` lets it go on", row.recipe, row.recipe))
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

fn trigger(recipe: &CheckedRecipe) -> &'static str {
    match recipe.trigger() {
        Trigger::Poll(_) => "poll",
        Trigger::Webhook(_) => "webhook",
        Trigger::Schedule(_) => "schedule",
        Trigger::Manual(_) => "manual",
    }
}
