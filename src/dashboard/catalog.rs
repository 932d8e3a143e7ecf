//! `/catalog`: the operations, as `hob catalog` tells them.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::markdown::{Block, blocks};
use super::page_error::PageError;
use super::state::Dashboard;
use super::try_out::can_be_tried;
use super::visitor::Visitor;
use crate::catalog::Operation;
use crate::diagnostic::closest;
use crate::reference;

/// Most operations that are listed.
const MOST: usize = 100;

/// What is looked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    q: String,
}

#[derive(Serialize)]
struct List<'a> {
    q: &'a str,
    operations: Vec<Row<'a>>,
    found: usize,
}

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    title: &'a str,
    kinds: String,
    request: String,
}

#[derive(Serialize)]
struct One<'a> {
    id: &'a str,
    blocks: Vec<Block>,
    recipes: Vec<String>,
    /// Whether it can be tried on a sandbox.
    can_be_tried: bool,
}

/// `GET /catalog`: the operations in which all words of the query occur.
pub(super) async fn list(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let words: Vec<String> = asked.q.split_whitespace().map(str::to_lowercase).collect();
    let matches = |operation: &&Operation| {
        let Operation { id, title, summary, path, .. } = operation;
        let text = format!("{id} {title} {summary} {path}").to_lowercase();
        words.iter().all(|word| text.contains(word))
    };
    let catalog = &dashboard.context().workspace.catalog;
    let found: Vec<&Operation> = catalog.operations().map(AsRef::as_ref).filter(matches).collect();
    let row = |operation: &&'_ Operation| (reference::kinds(operation), reference::request_line(operation));
    let operations = found.iter().take(MOST).map(|operation| {
        let (kinds, request) = row(operation);
        Row { id: &operation.id, title: &operation.title, kinds, request }
    });
    let page = List { q: &asked.q, operations: operations.collect(), found: found.len() };
    dashboard.page("catalog.html", &visitor, &page)
}

/// `GET /catalog/OP`
pub(super) async fn one(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let catalog = &dashboard.context().workspace.catalog;
    let Some(operation) = catalog.operation(&id) else {
        let near = closest(&id, catalog.operations().map(|operation| operation.id.as_str()));
        let near = near.map(|near| format!("; {near}")).unwrap_or_default();
        return Err(PageError::NotFound(format!("there is no operation {id}{near}")));
    };
    let uses = |recipe: &&crate::check::CheckedRecipe| {
        recipe.poller().is_some_and(|poller| poller.id == id)
            || recipe.all_actions().any(|action| action.operation.id == id)
    };
    let recipes = dashboard.recipes();
    let page = One {
        id: &operation.id,
        blocks: blocks(&reference::operation(operation, catalog)),
        can_be_tried: can_be_tried(operation),
        recipes: recipes.used.iter().filter(uses).map(|recipe| recipe.name().to_owned()).collect(),
    };
    dashboard.page("operation.html", &visitor, &page)
}
