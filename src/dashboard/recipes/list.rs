//! The list.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use super::flow::{Flow, flows};
use super::stats::Stats;
use crate::dashboard::page_error::PageError;
use crate::dashboard::state::Dashboard;
use crate::dashboard::visitor::Visitor;
use crate::overview::RecipeRow;

#[derive(Serialize)]
struct Page<'a> {
    recipes: Vec<Row<'a>>,
    flows: BTreeSet<Flow>,
}

#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    row: &'a RecipeRow,
    stats: Stats,
}

/// The page.
pub(in crate::dashboard) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
) -> Result<Response, PageError> {
    let standing = dashboard.standing().await?;
    let mut rows = Vec::new();
    for row in &standing.recipes {
        rows.push(Row { row, stats: dashboard.stats(&row.recipe).await? });
    }
    let flows = flows(&dashboard.recipes().used, &dashboard.setting().workspace.catalog);
    dashboard.page("recipes.html", &visitor, &Page { recipes: rows, flows })
}
