//! How a workspace stands: its recipes, its polls, and what is wrong.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::poll_row::PollRow;
use super::problem::Problem;
use super::problems::{RunProblems, run_problems};
use crate::check::CheckedRecipe;
use crate::event::Cursor;
use crate::journal::{Error, HeldConnection, Journal, Paused, RunFilter, all_paused};
use crate::recipe::Trigger;

/// What the workspace has.
#[derive(Debug, Clone, Default)]
pub struct Subject<'a> {
    /// The recipes in use.
    pub recipes: &'a [CheckedRecipe],
    /// The names of all recipes, including those with mistakes.
    pub names: BTreeSet<String>,
    /// The names of its connections.
    pub connections: BTreeSet<String>,
    /// Connections whose token has ended or will end soon, and cannot be renewed without a person: each with when.
    pub ending: Vec<(String, Option<DateTime<Utc>>)>,
    /// What follows each command, such as ` --sandbox`.
    pub options: &'static str,
}

/// What the store knows of it.
#[derive(Debug, Default)]
pub struct Known {
    /// Progress of pollers and schedules.
    pub cursors: Vec<Cursor>,
    /// What is paused, with since when.
    pub paused: Paused,
    /// Connections with a refused credential.
    pub held: Vec<HeldConnection>,
    /// When the newest run of each recipe was created.
    pub newest: BTreeMap<String, DateTime<Utc>>,
    /// Failed and parked runs by cause.
    pub of_runs: RunProblems,
}

/// How it stands.
#[derive(Debug, Serialize)]
pub struct WorkspaceStatus {
    /// Its recipes.
    pub recipes: Vec<RecipeRow>,
    /// The polls of its recipes on its connections.
    pub polls: Vec<PollRow>,
    /// Connections with a refused credential: their polls and runs wait.
    pub held: Vec<HeldConnection>,
    /// What is wrong, by cause, the most urgent first.
    pub problems: Vec<Problem>,
    /// Whether these are all: of very many failed or parked runs, only the newest are read.
    pub problems_complete: bool,
}

/// A recipe. Scripts rely on these fields.
#[derive(Debug, Clone, Serialize)]
pub struct RecipeRow {
    /// Its name.
    pub recipe: String,
    /// `poll`, `webhook`, `schedule`, `manual`; null if unreadable.
    pub trigger: Option<&'static str>,
    /// `ok`, `paused`, `broken`, `failing`, `withholding`, `waiting` or `new`.
    pub state: &'static str,
    /// Since when it is paused everywhere.
    pub paused_since: Option<DateTime<Utc>>,
    /// Connections on which it is paused, whether or not it is everywhere.
    pub paused_on: Vec<PausedOn>,
    /// When its newest event was received.
    pub last_event: Option<DateTime<Utc>>,
    /// When it polls or starts next, if known.
    pub next_due: Option<DateTime<Utc>>,
}

/// A connection on which a recipe is paused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PausedOn {
    /// Its name.
    pub connection: String,
    /// Since when.
    pub since: DateTime<Utc>,
}

impl Known {
    /// What the store knows, with runs that failed since `since`.
    pub async fn load(
        journal: &dyn Journal,
        subject: &Subject<'_>,
        since: DateTime<Utc>,
    ) -> Result<Self, Error> {
        let mut newest = BTreeMap::new();
        for name in &subject.names {
            let filter = RunFilter { recipe: Some(name.clone()), limit: Some(1), ..RunFilter::default() };
            if let Some(run) = journal.runs(&filter).await?.first() {
                newest.insert(name.clone(), run.created);
            }
        }
        Ok(Self {
            cursors: journal.cursors().await?,
            paused: all_paused(journal).await?,
            held: journal.held_connections().await?,
            newest,
            of_runs: run_problems(journal, subject.recipes, since, subject.options).await?,
        })
    }
}

impl WorkspaceStatus {
    /// How `subject` stands, by what is known.
    pub fn new(subject: &Subject<'_>, known: Known) -> Self {
        // A cursor outlives its recipe and its connection.
        let mut polls: Vec<PollRow> = known.cursors.iter().filter_map(PollRow::from_cursor).collect();
        polls.retain(|poll| {
            subject.connections.contains(&poll.connection)
                && subject.recipes.iter().any(|recipe| recipe.name() == poll.recipe)
        });
        let recipes =
            subject.names.iter().map(|name| RecipeRow::new(name, subject, &known, &polls)).collect();
        let is_current = |cursor: &&Cursor| {
            polls.iter().any(|poll| {
                cursor.key.belongs_to(&poll.recipe)
                    && cursor.health.connection.as_ref() == Some(&poll.connection)
            })
        };
        let mut problems: Vec<Problem> = known.held.iter().map(Problem::held).collect();
        problems.extend(known.cursors.iter().filter(is_current).filter_map(Problem::failing_poll));
        problems.extend(subject.ending.iter().map(|(name, ends)| Problem::consent(name, *ends)));
        problems.extend(known.of_runs.problems);
        problems.sort_by_key(|problem| problem.kind);
        let problems_complete = known.of_runs.complete;
        Self { recipes, polls, held: known.held, problems, problems_complete }
    }
}

impl WorkspaceStatus {
    /// Adds problems that are found elsewhere.
    pub fn add_problems(&mut self, problems: Vec<Problem>) {
        self.problems.extend(problems);
        self.problems.sort_by_key(|problem| problem.kind);
    }
}

impl RecipeRow {
    fn new(name: &str, subject: &Subject<'_>, known: &Known, polls: &[PollRow]) -> Self {
        let recipe = subject.recipes.iter().find(|recipe| recipe.name() == name);
        let is_own = |cursor: &&Cursor| cursor.key.belongs_to(name) && !cursor.key.is_secondary();
        let due = known.cursors.iter().filter(is_own).map(|cursor| cursor.due);
        let mine: Vec<&PollRow> = polls.iter().filter(|poll| poll.recipe == name).collect();
        let pauses = known.paused.iter().filter(|(what, _)| what.recipe == name);
        let paused_on = pauses.filter_map(|(what, since)| {
            Some(PausedOn { connection: what.connection.clone()?, since: *since })
        });
        let paused_since = known.paused.of(name, []).map(|(_, since)| since);
        let last_event = known.newest.get(name);
        let state = match recipe {
            _ if paused_since.is_some() => "paused",
            None => "broken",
            Some(_) if mine.iter().any(|poll| poll.fails()) => "failing",
            Some(_) if mine.iter().any(|poll| poll.withheld.is_some()) => "withholding",
            Some(_) if mine.iter().any(|poll| poll.waits.is_some()) => "waiting",
            Some(_) if mine.iter().all(|poll| poll.succeeded.is_none()) && last_event.is_none() => "new",
            Some(_) => "ok",
        };
        Self {
            trigger: recipe.map(trigger),
            state,
            paused_since,
            paused_on: paused_on.collect(),
            last_event: last_event.copied(),
            next_due: due.min().filter(|due| paused_since.is_none() && *due < DateTime::<Utc>::MAX_UTC),
            recipe: name.to_owned(),
        }
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
