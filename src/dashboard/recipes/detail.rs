//! A recipe.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::flow::flows;
use super::stats::Stats;
use crate::dashboard::changes::Topic;
use crate::dashboard::page_error::PageError;
use crate::dashboard::shown_problem::ShownProblem;
use crate::dashboard::state::Dashboard;
use crate::dashboard::visitor::Visitor;
use crate::journal::RunFilter;
use crate::overview::{ListedRun, PollRow, Problem, RecipeRow, listed_runs};

/// Runs that are listed.
const NEWEST: usize = 10;

/// What of it is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::dashboard) struct Asked {
    /// A line of its text.
    line: Option<usize>,
}

#[derive(Serialize)]
struct Page<'a> {
    recipe: &'a RecipeRow,
    description: Option<&'a str>,
    file: Option<&'a str>,
    line: Option<usize>,
    version: Option<&'a str>,
    lines: Vec<&'a str>,
    /// Of the text; marked.
    asked_line: Option<usize>,
    /// What is wrong with its file, if an earlier version stays in use.
    mistaken: Option<&'a str>,
    /// What an open page has seen.
    seen: Option<String>,
    unusable: Option<&'a str>,
    stats: Stats,
    polls: Vec<&'a PollRow>,
    problems: Vec<ShownProblem<'a>>,
    runs: Vec<ListedRun>,
    flows: Vec<super::flow::Flow>,
}

/// The page.
pub(in crate::dashboard) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let journal = dashboard.services().journal.as_ref();
    let status = dashboard.status().await?;
    let found = status.recipes.iter().find(|row| row.recipe == name);
    let unknown = || PageError::NotFound(format!("there is no recipe {name} in this workspace"));
    let row = found.ok_or_else(unknown)?;
    let recipes = dashboard.recipes();
    let recipe = recipes.find(&name);
    let broken = recipes.unusable.iter().find(|broken| broken.name.as_ref() == Some(&name));
    let is_its = |problem: &&Problem| problem.recipe.as_ref() == Some(&name);
    let model = recipe.map(|recipe| recipe.recipe());
    let filter = RunFilter { recipe: Some(name.clone()), limit: Some(NEWEST), ..RunFilter::default() };
    let flows = flows(&recipes.used, &dashboard.context().workspace.catalog);
    let page = Page {
        recipe: row,
        description: model.and_then(|model| model.description.as_deref()),
        file: model.map(|model| model.file.name()).or(broken.map(|broken| broken.file.as_str())),
        line: model.map(|model| model.file.position(model.name.span.range().start).line),
        version: recipe.map(|recipe| recipe.version()),
        lines: model.map(|model| model.text().lines().collect()).unwrap_or_default(),
        // A generated recipe has a text of its own, with other lines than the file.
        asked_line: asked.line.filter(|_| model.is_some_and(|model| !model.is_generated())),
        mistaken: recipes.mistakes(&name).map(|mistaken| mistaken.reason.as_str()),
        seen: dashboard.fingerprint(&Topic::Recipe(name.clone())).await?,
        unusable: broken.map(|broken| broken.reason.as_str()),
        stats: dashboard.stats(&name).await?,
        polls: status.polls.iter().filter(|poll| poll.recipe == name).collect(),
        problems: status.problems.iter().filter(is_its).map(ShownProblem::of).collect(),
        runs: listed_runs(journal, journal.runs(&filter).await?).await?,
        flows: flows.into_iter().filter(|flow| flow.is_about(&name)).collect(),
    };
    dashboard.page("recipe.html", &visitor, &page)
}
