//! `/runs`: runs by state, recipe, record and cause, a page at a time.

use axum::extract::{Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::page_error::PageError;
use super::shown_problem::ShownProblem;
use super::state::Dashboard;
use super::visitor::Visitor;
use crate::journal::{Error, Journal, RunFilter, RunRow};
use crate::overview::{ListedRun, RunsOfCause, listed_runs, runs_of_cause};
use crate::run::{RunId, RunState};
use crate::value::short_id;

/// Runs of a page.
const PAGE: usize = 50;
/// Runs of a cause are looked for among so many of the newest that are parked, and that failed.
pub(super) const MAX_RUNS: usize = 20_000;
/// Runs that are read at a time to find those of a cause.
const READ: usize = 500;
/// How often that is done for a page.
const READS: usize = 20;

/// What is asked for. Fields of a form that were left empty are there as well.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Asked {
    state: String,
    recipe: String,
    record: String,
    cause: String,
    /// Those after this run.
    before: String,
}

#[derive(Serialize)]
struct Page<'a> {
    /// The problem that is asked for, while its runs have it.
    problem: Option<ShownProblem<'a>>,
    runs: Vec<ListedRun>,
    /// The last of them, if there may be more.
    next: Option<RunId>,
    asked: Asked,
    states: Vec<&'static str>,
    recipes: Vec<String>,
}

/// The page.
pub(super) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let journal = dashboard.services().journal.as_ref();
    let filter = asked.filter()?;
    let (runs, next) = match asked.cause.is_empty() {
        true => plain(journal, filter).await?,
        false => match runs_of_cause(journal, &asked.cause, Some(MAX_RUNS)).await? {
            Some(of_cause) => of(journal, &of_cause, filter).await?,
            None => (Vec::new(), None),
        },
    };
    let problem = match asked.cause.is_empty() {
        true => None,
        false => dashboard.problem(&asked.cause).await?,
    };
    let page = Page {
        problem: problem.as_ref().map(ShownProblem::of),
        runs: listed_runs(journal, runs).await?,
        next,
        asked,
        states: RunState::ALL.map(RunState::name).to_vec(),
        recipes: dashboard.recipes().names().into_iter().collect(),
    };
    dashboard.page("runs.html", &visitor, &page)
}

impl Asked {
    fn filter(&self) -> Result<RunFilter, PageError> {
        let given = |text: &String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let state = given(&self.state).map(|name| name.parse::<RunState>()).transpose();
        Ok(RunFilter {
            state: state.map_err(|error| PageError::Unusable(error.to_string()))?,
            recipe: given(&self.recipe),
            record: given(&self.record).map(short_id),
            before: given(&self.before).map(RunId),
            ..RunFilter::default()
        })
    }
}

type Found = (Vec<RunRow>, Option<RunId>);

async fn plain(journal: &dyn Journal, filter: RunFilter) -> Result<Found, Error> {
    let mut runs = journal.runs(&RunFilter { limit: Some(PAGE + 1), ..filter }).await?;
    let next = (runs.len() > PAGE).then(|| runs[PAGE - 1].id.clone());
    runs.truncate(PAGE);
    Ok((runs, next))
}

/// Those of a cause.
async fn of(journal: &dyn Journal, of_cause: &RunsOfCause, filter: RunFilter) -> Result<Found, Error> {
    let mut filter = RunFilter {
        state: Some(of_cause.state),
        recipe: Some(of_cause.recipe.clone()),
        limit: Some(READ),
        ..filter
    };
    let mut runs = Vec::new();
    for _ in 0..READS {
        let read = journal.runs(&filter).await?;
        let Some(last) = read.last() else { return Ok((runs, None)) };
        filter.before = Some(last.id.clone());
        for row in read {
            if of_cause.contains(&row) {
                if runs.len() == PAGE {
                    let next = runs.last().map(|run: &RunRow| run.id.clone());
                    return Ok((runs, next));
                }
                runs.push(row);
            }
        }
    }
    Ok((runs, filter.before))
}
