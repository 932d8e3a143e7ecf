//! An act on one run.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::{Redirect, Response};
use serde::Deserialize;
use serde_json::Value;

use super::page::find;
use crate::dashboard::audit_record::AuditRecord;
use crate::dashboard::fix::Act;
use crate::dashboard::format::segment;
use crate::dashboard::page_error::PageError;
use crate::dashboard::state::Dashboard;
use crate::dashboard::visitor::Visitor;
use crate::intervention::apply;
use crate::value::read_json_text;

/// What is to be done.
#[derive(Debug, Deserialize)]
pub(in crate::dashboard) struct Wanted {
    act: Act,
    /// The result of a step that happened, as JSON.
    #[serde(default)]
    result: String,
}

/// `POST /runs/ID`: does it, and shows the run again.
pub(in crate::dashboard) async fn act(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(wanted): Form<Wanted>,
) -> Result<Response, PageError> {
    visitor.must_act()?;
    let result = match wanted.result.trim() {
        "" => Value::Null,
        text => read_json_text(text)
            .map_err(|error| PageError::Unusable(format!("the result is not JSON: {error}")))?,
    };
    let services = dashboard.services();
    let journal = services.journal.as_ref();
    let row = find(journal, &id).await?;
    let run = row.id.clone();
    let intervention = wanted.act.intervention(result, false);
    let outcome = apply(journal, row, &intervention, &dashboard.recipes().used, services.clock.now()).await?;
    dashboard.changed();
    let (what, told) = match &outcome.refused {
        None => ("done", wanted.act.done()),
        Some(reason) => ("refused", reason.as_str()),
    };
    let answer = Redirect::to(&format!("/runs/{run}?{what}={}", segment(told)));
    let acted = match outcome.refused {
        None => AuditRecord::new(intervention.act(), format!("run {run}")).changed(1),
        Some(reason) => AuditRecord::new(intervention.act(), format!("run {run}, refused: {reason}")),
    };
    Ok(acted.then(answer))
}
