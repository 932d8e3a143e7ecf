//! `/audit-log`: what operators did.

use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use crate::dashboard::page_error::PageError;
use crate::dashboard::state::Dashboard;
use crate::dashboard::visitor::Visitor;
use crate::journal::{Act, ActFilter};

/// Acts on a page.
const PAGE: usize = 100;

/// What the address says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::dashboard) struct Asked {
    operator: String,
    act: String,
    before: String,
}

/// The page.
pub(in crate::dashboard) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let given = |text: &String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let filter = ActFilter {
        operator: given(&asked.operator),
        act: given(&asked.act),
        before: given(&asked.before),
        since: None,
        limit: Some(PAGE + 1),
    };
    let mut acts = dashboard.services().journal.acts(&filter).await?;
    let more = acts.len() > PAGE;
    acts.truncate(PAGE);
    let page = json!({
        "title": "Audit log",
        "asked": { "operator": asked.operator, "act": asked.act },
        "kinds": Act::ALL.map(Act::name),
        "acts": acts,
        "next": acts.last().filter(|_| more).map(|act| &act.id),
    });
    dashboard.page("audit-log.html", &visitor, &page)
}
