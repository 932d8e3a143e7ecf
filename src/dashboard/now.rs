//! `/`: what is wrong now, by cause, and what goes on.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::activity_cache::{Minute, Stretch};
use super::changes::fingerprint;
use super::page_error::PageError;
use super::recipe_set::RecipeSet;
use super::shown_problem::ShownProblem;
use super::state::Dashboard;
use super::under_way::UnderWay;
use super::visitor::Visitor;
use crate::overview::{RecipeRow, WorkspaceStatus, withheld_removals};

/// How the page is asked for again.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    /// The page shows this.
    seen: Option<String>,
}

/// What the page shows.
#[derive(Serialize)]
pub(super) struct Now<'a> {
    problems: Vec<ShownProblem<'a>>,
    complete: bool,
    paused: Vec<&'a RecipeRow>,
    paused_on: Vec<&'a RecipeRow>,
    withheld: Vec<String>,
    broken: Vec<Broken<'a>>,
    #[serde(flatten)]
    under_way: Arc<UnderWay>,
    last_hour: Minute,
    stretches: Vec<Stretch>,
}

#[derive(Serialize)]
struct Broken<'a> {
    name: Option<&'a str>,
    file: &'a str,
    reason: &'a str,
    /// Whether an earlier version of it stays in use.
    used: bool,
}

/// The page; of one that is open already, the part that has changed, or nothing.
pub(super) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let (status, recipes) = (dashboard.status().await?, dashboard.recipes());
    let now = Now::of(&dashboard, &status, &recipes).await?;
    let seen = fingerprint(&now)?;
    if asked.seen.as_ref() == Some(&seen) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let template = if asked.seen.is_some() { "now_part.html" } else { "now.html" };
    dashboard.page(template, &visitor, &Seen { now, seen })
}

#[derive(Serialize)]
struct Seen<'a> {
    #[serde(flatten)]
    now: Now<'a>,
    seen: String,
}

impl<'a> Now<'a> {
    pub(super) async fn of(
        dashboard: &Dashboard,
        status: &'a WorkspaceStatus,
        recipes: &'a RecipeSet,
    ) -> Result<Self, PageError> {
        let hour = dashboard.last_hour().await?;
        let with_mistakes = [(&recipes.unusable, false), (&recipes.mistaken, true)].into_iter();
        let broken = with_mistakes.flat_map(|(broken, used)| broken.iter().map(move |broken| (broken, used)));
        let broken = broken.map(|(broken, used)| Broken {
            name: broken.name.as_deref(),
            file: &broken.file,
            reason: &broken.reason,
            used,
        });
        Ok(Self {
            problems: status.problems.iter().map(ShownProblem::of).collect(),
            complete: status.problems_complete,
            paused: status.recipes.iter().filter(|recipe| recipe.paused_since.is_some()).collect(),
            paused_on: status.recipes.iter().filter(|recipe| !recipe.paused_on.is_empty()).collect(),
            withheld: withheld_removals(&status.polls),
            broken: broken.collect(),
            under_way: dashboard.under_way().await?,
            last_hour: hour.total(),
            stretches: hour.rows(),
        })
    }
}
