//! Pause and resume: of a recipe, or of a recipe on one connection.

use axum::extract::{Path, State};
use axum::response::{Redirect, Response};

use crate::dashboard::audit_record::AuditRecord;
use crate::dashboard::format::segment;
use crate::dashboard::page_error::PageError;
use crate::dashboard::state::Dashboard;
use crate::dashboard::visitor::Visitor;
use crate::journal::{self, Act, PauseSubject};

/// `POST /recipes/NAME/pause`
pub(in crate::dashboard) async fn pause(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Result<Response, PageError> {
    set(&dashboard, &visitor, &PauseSubject::recipe(&name), Act::Pause).await
}

/// `POST /recipes/NAME/resume`
pub(in crate::dashboard) async fn resume(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Result<Response, PageError> {
    set(&dashboard, &visitor, &PauseSubject::recipe(&name), Act::Resume).await
}

/// `POST /recipes/NAME/connections/CONNECTION/pause`
pub(in crate::dashboard) async fn pause_on(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path((name, connection)): Path<(String, String)>,
) -> Result<Response, PageError> {
    set(&dashboard, &visitor, &PauseSubject::on(&name, &connection), Act::Pause).await
}

/// `POST /recipes/NAME/connections/CONNECTION/resume`
pub(in crate::dashboard) async fn resume_on(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path((name, connection)): Path<(String, String)>,
) -> Result<Response, PageError> {
    set(&dashboard, &visitor, &PauseSubject::on(&name, &connection), Act::Resume).await
}

async fn set(
    dashboard: &Dashboard,
    visitor: &Visitor,
    what: &PauseSubject,
    act: Act,
) -> Result<Response, PageError> {
    visitor.must_act()?;
    let services = dashboard.services();
    let (journal, now) = (services.journal.as_ref(), services.clock.now());
    // What is paused can be resumed also if its file is gone.
    let rests = journal::last_pause(journal, what).await?.is_some_and(|pause| pause.is_paused());
    if !rests {
        must_be_known(dashboard, what)?;
    }
    match act {
        Act::Pause => journal::pause(journal, what, now).await?,
        _ => journal::resume(journal, what, now).await?,
    };
    dashboard.changed();
    let is_known = dashboard.recipes().names().contains(&what.recipe);
    let address = match &what.connection {
        Some(_) => "/fleet".to_owned(),
        None if is_known => format!("/recipes/{}", segment(&what.recipe)),
        None => "/".to_owned(),
    };
    Ok(AuditRecord::new(act, format!("recipe {what}")).then(Redirect::to(&address)))
}

fn must_be_known(dashboard: &Dashboard, what: &PauseSubject) -> Result<(), PageError> {
    let PauseSubject { recipe, connection } = what;
    let recipes = dashboard.recipes();
    if !recipes.names().contains(recipe) {
        return Err(PageError::NotFound(format!("there is no recipe {recipe} in this workspace")));
    }
    match (recipes.find(recipe), connection) {
        (Some(known), Some(connection)) if !known.runs_on(connection) => {
            Err(PageError::NotFound(format!("{recipe} does not run on {connection}")))
        }
        _ => Ok(()),
    }
}
