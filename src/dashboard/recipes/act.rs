//! Pause and resume.

use axum::extract::{Path, State};
use axum::response::{Redirect, Response};

use crate::dashboard::audit_record::AuditRecord;
use crate::dashboard::format::segment;
use crate::dashboard::page_error::PageError;
use crate::dashboard::state::Dashboard;
use crate::dashboard::visitor::Visitor;
use crate::journal::{self, Act};

/// `POST /recipes/NAME/pause`
pub(in crate::dashboard) async fn pause(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Result<Response, PageError> {
    visitor.must_act()?;
    must_be_known(&dashboard, &name)?;
    let services = dashboard.services();
    journal::pause(services.journal.as_ref(), &name, services.clock.now()).await?;
    Ok(done(&dashboard, &name, Act::Pause))
}

/// `POST /recipes/NAME/resume`
pub(in crate::dashboard) async fn resume(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Result<Response, PageError> {
    visitor.must_act()?;
    let services = dashboard.services();
    let journal = services.journal.as_ref();
    // Also if its file is gone.
    if !journal::paused(journal).await?.contains_key(&name) {
        must_be_known(&dashboard, &name)?;
    }
    journal::resume(journal, &name, services.clock.now()).await?;
    Ok(done(&dashboard, &name, Act::Resume))
}

fn must_be_known(dashboard: &Dashboard, name: &str) -> Result<(), PageError> {
    match dashboard.recipes().names().contains(name) {
        true => Ok(()),
        false => Err(PageError::NotFound(format!("there is no recipe {name} in this workspace"))),
    }
}

fn done(dashboard: &Dashboard, name: &str, act: Act) -> Response {
    dashboard.changed();
    let address = match dashboard.recipes().names().contains(name) {
        true => format!("/recipes/{}", segment(name)),
        false => "/".to_owned(),
    };
    AuditRecord::new(act, format!("recipe {name}")).then(Redirect::to(&address))
}
