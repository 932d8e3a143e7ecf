//! `/fix`: preview, act, progress and stop.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::{Deserialize, Serialize};

use super::act::Act;
use super::job::{Job, Report};
use super::jobs::wait_a_moment;
use crate::dashboard::acted::Acted;
use crate::dashboard::page_error::PageError;
use crate::dashboard::state::Dashboard;
use crate::dashboard::visitor::Visitor;
use crate::overview::Problem;

/// What is to be done.
#[derive(Debug, Deserialize)]
pub(in crate::dashboard) struct Wanted {
    cause: String,
    act: Act,
}

/// How a page of a job is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::dashboard) struct Asked {
    /// Only the part that changes.
    part: bool,
}

#[derive(Serialize)]
struct Page {
    report: Report,
    problem: Option<Problem>,
}

/// `GET /fix?cause=…&act=…`: what would become of the runs.
pub(in crate::dashboard) async fn preview(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageError> {
    visitor.must_act()?;
    let job = begin(&dashboard, &wanted, true)?;
    wait_a_moment(&job).await;
    page(&dashboard, &visitor, &job, "fix.html").await
}

/// `POST /fix`: does it.
pub(in crate::dashboard) async fn act(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Form(wanted): Form<Wanted>,
) -> Result<Response, PageError> {
    visitor.must_act()?;
    let job = begin(&dashboard, &wanted, false)?;
    wait_a_moment(&job).await;
    let what = format!("{} all runs of the cause {}", wanted.act.word(), wanted.cause);
    Ok(Acted::new(what).then(Redirect::to(&format!("/fix/{}", job.id))))
}

/// `GET /fix/JOB`: how far it is.
pub(in crate::dashboard) async fn progress(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let job = find(&dashboard, &id)?;
    page(&dashboard, &visitor, &job, if asked.part { "fix_part.html" } else { "fix.html" }).await
}

/// `POST /fix/JOB/stop`
pub(in crate::dashboard) async fn stop(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    visitor.must_act()?;
    let job = find(&dashboard, &id)?;
    job.stop();
    wait_a_moment(&job).await;
    let what = format!("stop to {} all runs of the cause {}", job.act.word(), job.cause);
    Ok(Acted::new(what).then(Redirect::to(&format!("/fix/{id}"))))
}

fn find(dashboard: &Dashboard, id: &str) -> Result<Arc<Job>, PageError> {
    let gone =
        || PageError::NotFound("this is not known any more; the runs tell what became of them".to_owned());
    dashboard.jobs().find(id).ok_or_else(gone)
}

fn begin(dashboard: &Dashboard, wanted: &Wanted, dry: bool) -> Result<Arc<Job>, PageError> {
    let is_cause = !wanted.cause.is_empty() && wanted.cause.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_cause {
        return Err(PageError::Unusable("a cause is named by digits and letters from a to f".to_owned()));
    }
    let job = Job::new(wanted.act, &wanted.cause, dry);
    dashboard.jobs().add(&job).map_err(|reason| PageError::Unusable(reason.to_owned()))?;
    let (dashboard, begun) = (dashboard.clone(), Arc::clone(&job));
    tokio::spawn(async move {
        let recipes = dashboard.recipes();
        begun.run(dashboard.services(), &recipes.used).await;
        dashboard.changed().await;
    });
    Ok(job)
}

async fn page(
    dashboard: &Dashboard,
    visitor: &Visitor,
    job: &Job,
    template: &str,
) -> Result<Response, PageError> {
    let standing = dashboard.standing().await?;
    let mut problems = standing.problems.iter();
    let problem =
        problems.find(|problem| problem.cause.as_ref().is_some_and(|id| id.starts_with(&job.cause)));
    let page = Page { report: job.report(), problem: problem.cloned() };
    Ok(dashboard.page(template, visitor, &page)?.into_response())
}
