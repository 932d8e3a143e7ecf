//! `/fix`: preview, act, progress and stop.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Form};
use serde::{Deserialize, Serialize};

use super::act::Act;
use super::job::{Job, Report};
use super::jobs::wait_a_moment;
use crate::dashboard::access::Actor;
use crate::dashboard::audit_record::AuditRecord;
use crate::dashboard::changes::fingerprint;
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
    /// What an open page has seen.
    seen: String,
    problem: Option<Problem>,
}

/// `GET /fix?cause=…&act=…`: what would become of the runs.
pub(in crate::dashboard) async fn preview(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageError> {
    visitor.must_act()?;
    let job = begin(&dashboard, &wanted, None)?;
    wait_a_moment(&job).await;
    page(&dashboard, &visitor, &job, "fix.html").await
}

/// `POST /fix`: does it.
pub(in crate::dashboard) async fn act(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Extension(actor): Extension<Actor>,
    Form(wanted): Form<Wanted>,
) -> Result<Response, PageError> {
    visitor.must_act()?;
    let job = begin(&dashboard, &wanted, Some(actor))?;
    wait_a_moment(&job).await;
    let target = format!("cause {}", wanted.cause);
    let acted = match job.part() {
        true => AuditRecord::new(wanted.act.recorded(), target).changed(job.changed()),
        false => AuditRecord::new(wanted.act.recorded(), format!("{target}, begun")),
    };
    Ok(acted.then(Redirect::to(&format!("/fix/{}", job.id))))
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
    let target = format!("cause {}, stopped", job.cause);
    Ok(AuditRecord::new(job.act.recorded(), target).then(Redirect::to(&format!("/fix/{id}"))))
}

fn find(dashboard: &Dashboard, id: &str) -> Result<Arc<Job>, PageError> {
    let gone =
        || PageError::NotFound("this is not known any more; the runs tell what became of them".to_owned());
    dashboard.jobs().find(id).ok_or_else(gone)
}

/// Begins a job: for `actor`, or, without one, a preview.
fn begin(dashboard: &Dashboard, wanted: &Wanted, actor: Option<Actor>) -> Result<Arc<Job>, PageError> {
    let is_cause = !wanted.cause.is_empty() && wanted.cause.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_cause {
        return Err(PageError::Unusable("a cause is named by digits and letters from a to f".to_owned()));
    }
    if actor.is_none()
        && let Some(job) = dashboard.jobs().preview(wanted.act, &wanted.cause)
    {
        return Ok(job);
    }
    let job = Job::new(wanted.act, &wanted.cause, actor.is_none());
    dashboard.jobs().add(&job).map_err(|reason| PageError::Unusable(reason.to_owned()))?;
    let (dashboard, begun) = (dashboard.clone(), Arc::clone(&job));
    tokio::spawn(async move {
        let recipes = dashboard.recipes();
        begun.run(dashboard.services(), &recipes.used).await;
        dashboard.changed();
        if let Some(actor) = actor.filter(|_| begun.part()) {
            record_end(&dashboard, &begun, &actor).await;
        }
    });
    Ok(job)
}

/// Records what a job came to whose request was answered before its end.
async fn record_end(dashboard: &Dashboard, job: &Job, actor: &Actor) {
    let services = dashboard.services();
    let entry = actor.does(services.clock.now(), job.act.recorded());
    let entry = entry.about(&format!("cause {}, ended", job.cause)).changed(job.changed() as u64);
    if let Err(error) = services.journal.save_act(&entry).await {
        tracing::error!(%error, operator = entry.operator, act = entry.act, "an act is missing in the audit log");
    }
}

async fn page(
    dashboard: &Dashboard,
    visitor: &Visitor,
    job: &Job,
    template: &str,
) -> Result<Response, PageError> {
    let problem = dashboard.problem(&job.cause).await?;
    let report = job.report();
    let page = Page { seen: fingerprint(&report)?, report, problem };
    Ok(dashboard.page(template, visitor, &page)?.into_response())
}
