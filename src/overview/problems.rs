//! The problems that runs have: those that are parked or failed, grouped by cause.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde::Serialize;

use super::problem::{Problem, ProblemKind};
use super::{Cause, Place};
use crate::check::CheckedRecipe;
use crate::journal::{EndedAlike, EndedIn, Error, Journal, RunDetail};
use crate::run::{Entry, Phase, RunState, Status, StepKey};

/// Parked and failed runs that are read, each: the newest ones, so that a store of any size answers soon.
const MAX_RUNS: usize = 20_000;
/// Most causes that are told.
const MAX_CAUSES: usize = 50;

/// Problems of runs.
#[derive(Debug, Default, Serialize)]
pub struct RunProblems {
    /// They, parked runs first, then the causes seen last.
    pub problems: Vec<Problem>,
    /// Whether these are all: there are not too many runs or causes to tell all.
    pub complete: bool,
}

/// The problems of the parked runs, and of those that failed and were created at `since` or later. `options` follow each
/// command, such as ` --sandbox`.
pub async fn run_problems(
    journal: &dyn Journal,
    recipes: &[CheckedRecipe],
    since: DateTime<Utc>,
    options: &str,
) -> Result<RunProblems, Error> {
    let mut texts = RecipeTexts::new(journal);
    let mut causes = IndexMap::new();
    let mut complete = true;
    for (state, since) in [(RunState::Parked, None), (RunState::Failed, Some(since))] {
        let which = EndedIn { state, since, limit: Some(MAX_RUNS) };
        let groups = journal.ended_alike(&which).await?;
        complete &= groups.iter().map(|group| group.count).sum::<u64>() < MAX_RUNS as u64;
        for group in groups {
            let cause = texts.cause(&group, state).await?;
            causes.entry(cause.id.clone()).or_insert_with(|| OfCause::new(cause, state)).add(group);
        }
    }
    let mut causes: Vec<OfCause> = causes.into_values().collect();
    causes.sort_by_key(|cause| (cause.state != RunState::Parked, Reverse(cause.last)));
    complete &= causes.len() <= MAX_CAUSES;
    let mut problems = Vec::new();
    for cause in causes.into_iter().take(MAX_CAUSES) {
        let Some(newest) = &cause.newest else { continue };
        let detail = match journal.run(newest).await {
            Ok(detail) => detail,
            Err(Error::Corrupt { .. }) => None,
            Err(error) => return Err(error),
        };
        let recipe = recipes.iter().find(|recipe| recipe.name() == cause.recipe);
        problems.push(cause.into_problem(recipe, detail.as_ref(), options));
    }
    Ok(RunProblems { problems, complete })
}

/// The texts of recipes that runs began with, each read once.
pub(super) struct RecipeTexts<'a> {
    journal: &'a dyn Journal,
    known: HashMap<(String, String), Option<String>>,
}

impl<'a> RecipeTexts<'a> {
    pub(super) fn new(journal: &'a dyn Journal) -> Self {
        Self { journal, known: HashMap::new() }
    }

    /// The cause of a group of runs in `state`.
    pub(super) async fn cause(&mut self, group: &EndedAlike, state: RunState) -> Result<Cause, Error> {
        let version = group.version.clone().unwrap_or_default();
        let key = (group.recipe.clone(), version);
        if !self.known.contains_key(&key) {
            let found = self.journal.recipe(&key.0, &key.1).await?;
            self.known.insert(key.clone(), found.map(|found| found.text));
        }
        let text = self.known.get(&key).and_then(Option::as_deref);
        Ok(Cause::new(&group.recipe, state, group.reason.as_deref().unwrap_or_default(), text))
    }
}

/// The runs of a cause.
struct OfCause {
    cause: Cause,
    state: RunState,
    recipe: String,
    /// The reason, if it is the same for all.
    reason: Option<String>,
    connections: BTreeSet<String>,
    runs: u64,
    behind: u64,
    first: Option<DateTime<Utc>>,
    last: Option<DateTime<Utc>>,
    newest: Option<crate::run::RunId>,
}

impl OfCause {
    fn new(cause: Cause, state: RunState) -> Self {
        Self {
            cause,
            state,
            recipe: String::new(),
            reason: None,
            connections: BTreeSet::new(),
            runs: 0,
            behind: 0,
            first: None,
            last: None,
            newest: None,
        }
    }

    fn add(&mut self, group: EndedAlike) {
        let reason = group.reason.unwrap_or_default();
        self.reason = match self.reason.take() {
            None if self.runs == 0 => Some(reason),
            Some(known) if known == reason => Some(known),
            _ => None,
        };
        self.recipe = group.recipe;
        self.connections.extend(group.connections);
        self.runs += group.count;
        self.behind += group.behind;
        self.first = Some(self.first.map_or(group.first, |first| first.min(group.first)));
        self.last = self.last.max(Some(group.last));
        self.newest = self.newest.take().max(Some(group.newest));
    }

    fn into_problem(
        self,
        recipe: Option<&CheckedRecipe>,
        newest: Option<&RunDetail>,
        options: &str,
    ) -> Problem {
        let kind = if self.state == RunState::Parked { ProblemKind::Parked } else { ProblemKind::Failed };
        let failure = newest.map(Failure::of).unwrap_or_default();
        let step = failure.step.filter(|step| !step.is_start()).map(|step| step.action).or(self.cause.step);
        let action = recipe.and_then(|recipe| {
            recipe.recipe().all_actions().find(|action| Some(&action.id) == step.as_ref())
        });
        let id = &self.cause.id;
        let command = |rest: String| format!("hob runs {rest}{options}");
        let mut commands = match kind {
            ProblemKind::Parked if step.is_some() => vec![
                command(format!("resolve --cause {id} --did-not")),
                command(format!("resolve --cause {id} --happened")),
            ],
            _ => vec![command(format!("retry --cause {id}"))],
        };
        commands.push(command(format!("skip --cause {id}")));
        commands.push(command(format!("list --cause {id}")));
        let mut problem = Problem {
            operation: action.map(|action| action.operation.value.clone()).or(failure.operation),
            place: recipe.and_then(|recipe| Place::of(recipe.recipe(), step.as_deref(), None)),
            status: failure.status,
            help: failure.help,
            cause: Some(self.cause.id.clone()),
            recipe: Some(self.recipe),
            step,
            runs: self.runs,
            behind: self.behind,
            connections: self.connections.into_iter().collect(),
            since: self.first,
            last: self.last,
            example: self.newest,
            commands,
            ..Problem::new(kind, self.reason.unwrap_or(self.cause.reason))
        };
        problem.summary = problem.summary_of_runs();
        problem
    }
}

/// What the history of a run says of its failure.
#[derive(Default)]
struct Failure {
    step: Option<StepKey>,
    operation: Option<String>,
    status: Option<u16>,
    help: Option<String>,
}

impl Failure {
    fn of(detail: &RunDetail) -> Self {
        let status = Status::fold(&detail.entries);
        let parked = status.steps.iter().find(|(_, step)| matches!(step.phase, Phase::Parked { .. }));
        let step = status.failed.clone().or_else(|| parked.map(|(key, _)| key.clone()));
        let Some(step) = step else { return Self::default() };
        let operation = detail.entries.iter().rev().find_map(|stamped| match &stamped.entry {
            Entry::Intent { step: other, operation, .. } if *other == step => Some(operation.clone()),
            _ => None,
        });
        let (code, help) = match status.step(&step).phase {
            Phase::Failed(error) => (error.status, error.help),
            _ => (None, None),
        };
        Self { step: Some(step), operation, status: code, help }
    }
}
