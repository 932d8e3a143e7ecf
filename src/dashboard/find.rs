//! `/find`: what happened to a customer or a record, as `hob find` tells it.

use axum::extract::{Query, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::page_error::PageError;
use super::state::Dashboard;
use super::visitor::Visitor;
use crate::overview::{Timeline, What, timeline};

/// Most moments that are shown.
const LIMIT: usize = 200;
/// Longest text that is looked for, in bytes.
const MAX_LENGTH: usize = 512;

/// What is looked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    q: String,
}

#[derive(Serialize)]
struct Page<'a> {
    q: &'a str,
    found: Option<Timeline>,
    /// From when on events are not indexed yet.
    not_indexed_since: Option<DateTime<Utc>>,
}

/// The page.
pub(super) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let q = asked.q.trim();
    if q.len() > MAX_LENGTH {
        return Err(PageError::Unusable(format!("what is looked for is longer than {MAX_LENGTH} bytes")));
    }
    let journal = dashboard.services().journal.as_ref();
    let mut page = Page { q, found: None, not_indexed_since: None };
    if !q.is_empty() {
        let mut found = timeline(journal, &dashboard.context().workspace.catalog, q, LIMIT).await?;
        found.moments.reverse();
        // What was written may be mappings, whose names come from outside as well.
        let redactor = &dashboard.services().redactor;
        for moment in &mut found.moments {
            if let What::Write { fields, .. } = &mut moment.what {
                for field in fields {
                    field.before = field.before.as_ref().map(|before| redactor.value(before));
                    field.after = redactor.value(&field.after);
                }
            }
        }
        page.found = Some(found);
        // A running hob fills the index within seconds.
        page.not_indexed_since = journal.unindexed(1).await?.since;
    }
    dashboard.page("find.html", &visitor, &page)
}
