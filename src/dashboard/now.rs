//! `/`: what is wrong now, by cause.

use axum::extract::State;
use axum::response::Response;
use chrono::TimeDelta;

use super::page_error::PageError;
use super::state::Dashboard;
use super::visitor::Visitor;
use crate::overview::run_problems;

/// How long a failed run counts as a problem.
const LATELY: TimeDelta = TimeDelta::days(7);

/// The page.
pub(super) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
) -> Result<Response, PageError> {
    let services = dashboard.services();
    let since = services.clock.now() - LATELY;
    let recipes = dashboard.recipes();
    let found =
        run_problems(services.journal.as_ref(), &recipes.used, since, dashboard.command_options()).await?;
    dashboard.page("now.html", &visitor, &found)
}
