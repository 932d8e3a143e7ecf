//! `/fleet`: accounts by recipes, so that one account that stands apart is seen at once.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::page_error::PageError;
use super::state::Dashboard;
use super::visitor::Visitor;
use crate::check::CheckedRecipe;
use crate::overview::{Problem, ProblemKind, WorkspaceStatus};

#[derive(Serialize)]
struct Page {
    recipes: Vec<String>,
    accounts: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    connection: String,
    held: bool,
    /// For each recipe.
    cells: Vec<Option<Cell>>,
}

/// How a recipe does on an account; nothing where it does not run there.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Cell {
    state: &'static str,
    /// Since when the recipe is paused on this account alone.
    paused_since: Option<DateTime<Utc>>,
    /// Of the problem that it is about.
    cause: Option<String>,
}

/// The page.
pub(super) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
) -> Result<Response, PageError> {
    let status = dashboard.status().await?;
    let recipes = dashboard.recipes();
    let row = |connection: &String| Row {
        connection: connection.clone(),
        held: status.held.iter().any(|held| held.connection == *connection),
        cells: recipes.used.iter().map(|recipe| cell(recipe, connection, &status)).collect(),
    };
    let page = Page {
        recipes: recipes.used.iter().map(|recipe| recipe.name().to_owned()).collect(),
        accounts: dashboard.context().workspace.accounts.keys().map(row).collect(),
    };
    dashboard.page("fleet.html", &visitor, &page)
}

fn cell(recipe: &CheckedRecipe, connection: &str, status: &WorkspaceStatus) -> Option<Cell> {
    if !recipe.runs_on(connection) {
        return None;
    }
    let row = status.recipes.iter().find(|row| row.recipe == recipe.name());
    let pause = row.and_then(|row| row.paused_on.iter().find(|on| on.connection == connection));
    let paused_since = pause.map(|pause| pause.since);
    let is_here = |problem: &&Problem| {
        problem.recipe.as_deref() == Some(recipe.name())
            && problem.connections.iter().any(|name| name == connection)
    };
    if let Some(problem) = status.problems.iter().find(is_here) {
        let state = match problem.kind {
            ProblemKind::Parked => "parked",
            ProblemKind::Failed => "failed",
            ProblemKind::Held | ProblemKind::Consent => "held",
            // Alerts are about no recipe.
            ProblemKind::Poll | ProblemKind::Alert => "failing",
        };
        return Some(Cell { state, paused_since, cause: problem.cause.clone() });
    }
    let poll = status.polls.iter().find(|poll| poll.recipe == recipe.name() && poll.connection == connection);
    let state = match (row.map(|row| row.state), poll) {
        _ if paused_since.is_some() => "paused",
        (Some("paused"), _) => "paused",
        (_, Some(poll)) if poll.withheld.is_some() => "withholding",
        (_, Some(poll)) if poll.waits.is_some() => "waiting",
        (Some("new"), _) => "new",
        _ => "ok",
    };
    Some(Cell { state, paused_since, cause: None })
}
