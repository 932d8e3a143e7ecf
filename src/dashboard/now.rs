//! `/`: what is wrong now, by cause, and what goes on.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::activity_cache::{Minute, Stretch};
use super::page_error::PageError;
use super::state::Dashboard;
use super::visitor::Visitor;
use crate::journal::{RunFilter, RunRow};
use crate::overview::{Problem, ProblemKind, RecipeRow, WorkspaceStatus, withheld_removals};
use crate::run::RunState;

/// Most running runs that are listed.
const MAX_RUNNING: usize = 20;
/// Characters of the hash by which a page knows whether it is still right.
const SEEN: usize = 16;

/// How the page is asked for again.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    /// The page shows this.
    seen: Option<String>,
}

/// What the page shows.
#[derive(Serialize)]
struct Now<'a> {
    problems: Vec<ShownProblem<'a>>,
    complete: bool,
    paused: Vec<&'a RecipeRow>,
    withheld: Vec<String>,
    broken: Vec<Broken<'a>>,
    running: Vec<RunRow>,
    waiting: u64,
    last_hour: Minute,
    stretches: Vec<Stretch>,
}

/// A problem with what can be done about it here.
#[derive(Serialize)]
struct ShownProblem<'a> {
    #[serde(flatten)]
    problem: &'a Problem,
    /// The words of acts on all of its runs.
    acts: &'static [&'static str],
}

#[derive(Serialize)]
struct Broken<'a> {
    name: Option<&'a str>,
    file: &'a str,
    reason: &'a str,
}

/// The page; of one that is open already, the part that has changed, or nothing.
pub(super) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let status = dashboard.status().await?;
    let recipes = dashboard.recipes();
    let journal = &dashboard.services().journal;
    let running =
        RunFilter { state: Some(RunState::Running), limit: Some(MAX_RUNNING), ..RunFilter::default() };
    let hour = dashboard.last_hour().await?;
    let broken = recipes.unusable.iter().map(|broken| Broken {
        name: broken.name.as_deref(),
        file: &broken.file,
        reason: &broken.reason,
    });
    let now = Now {
        problems: status.problems.iter().map(ShownProblem::of).collect(),
        complete: status.problems_complete,
        paused: paused(&status),
        withheld: withheld_removals(&status.polls),
        broken: broken.collect(),
        running: journal.runs(&running).await?,
        waiting: journal.totals(None).await?.runs.get(RunState::Waiting.name()).copied().unwrap_or_default(),
        last_hour: hour.total(),
        stretches: hour.rows(),
    };
    let seen = serde_json::to_vec(&now).map_err(PageError::Unwritable)?;
    let seen = hex::encode(Sha256::digest(seen))[..SEEN].to_owned();
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

impl<'a> ShownProblem<'a> {
    fn of(problem: &'a Problem) -> Self {
        let acts: &[&str] = match (problem.kind, &problem.step) {
            (ProblemKind::Parked, Some(_)) => &["did-not", "happened", "skip"],
            (ProblemKind::Parked | ProblemKind::Failed, _) => &["retry", "skip"],
            _ => &[],
        };
        Self { problem, acts }
    }
}

fn paused(status: &WorkspaceStatus) -> Vec<&RecipeRow> {
    status.recipes.iter().filter(|recipe| recipe.paused_since.is_some()).collect()
}
