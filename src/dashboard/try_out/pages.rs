//! The page with the form and, after it was sent, what came of it.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;

use super::form::{self, Field};
use super::trial_sandbox::Tried;
use crate::catalog::{Connector, Operation};
use crate::dashboard::audit_record::AuditRecord;
use crate::dashboard::page_error::PageError;
use crate::dashboard::state::Dashboard;
use crate::dashboard::visitor::Visitor;
use crate::journal::Act;
use crate::value::shortened;

/// Most characters of a text within an answer.
const MAX_TEXT: usize = 20_000;

#[derive(Serialize)]
struct Page<'a> {
    id: &'a str,
    title: &'a str,
    summary: &'a str,
    fields: Vec<Field>,
    /// What was wrong with the form itself.
    wrong: Option<String>,
    tried: Option<Shown>,
}

/// What came of it, as texts.
#[derive(Serialize)]
struct Shown {
    tried: Tried,
    answer: Option<String>,
}

/// `GET /catalog/OP/try`: the form, filled with an example.
pub(in crate::dashboard) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    visitor.must_act()?;
    let (operation, connector) = find(&dashboard, &id)?;
    let workspace = &dashboard.context().workspace;
    let example = dashboard.trial().example(workspace, &operation).await.map_err(PageError::Unusable)?;
    let page = Page::new(&operation, form::example(&operation, &connector, &example));
    dashboard.page("try.html", &visitor, &page)
}

/// `POST /catalog/OP/try`: sends it to the sandbox.
pub(in crate::dashboard) async fn submit(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(sent): Form<HashMap<String, String>>,
) -> Result<Response, PageError> {
    visitor.must_act()?;
    let (operation, connector) = find(&dashboard, &id)?;
    let mut page = Page::new(&operation, form::sent(&operation, &connector, &sent));
    match form::inputs(&operation, &sent) {
        Err(reason) => page.wrong = Some(reason),
        Ok(inputs) => {
            let workspace = &dashboard.context().workspace;
            let tried = dashboard.trial().perform(workspace, &operation, &inputs).await;
            page.tried = Some(Shown::of(tried.map_err(PageError::Unusable)?));
        }
    }
    let target = format!("operation {}, on a sandbox", operation.id);
    Ok(AuditRecord::new(Act::TryOut, target).then(dashboard.page("try.html", &visitor, &page)?))
}

/// The operation and its connector, if it is one request to an app.
fn find(dashboard: &Dashboard, id: &str) -> Result<(Arc<Operation>, Arc<Connector>), PageError> {
    let catalog = &dashboard.context().workspace.catalog;
    let found = catalog.operation(id);
    let found = found.ok_or_else(|| PageError::NotFound(format!("there is no operation {id}")))?;
    match catalog.connector(&found.connector).filter(|_| can_be_tried(found)) {
        Some(connector) => Ok((Arc::clone(found), Arc::clone(connector))),
        None => Err(PageError::NotFound(format!(
            "{id} is not a request of its own; what it does shows in the test of a recipe"
        ))),
    }
}

/// Whether an operation is one request to an app.
pub(in crate::dashboard) fn can_be_tried(operation: &Operation) -> bool {
    operation.builtin.is_none() && !operation.method.is_empty()
}

impl<'a> Page<'a> {
    fn new(operation: &'a Operation, fields: Vec<Field>) -> Self {
        let Operation { id, title, summary, .. } = operation;
        Self { id, title, summary, fields, wrong: None, tried: None }
    }
}

impl Shown {
    fn of(mut tried: Tried) -> Self {
        let answer = tried.take_answer().map(|answer: Value| format!("{:#}", shortened(answer, MAX_TEXT)));
        Self { tried, answer }
    }
}
