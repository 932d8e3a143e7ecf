//! The list.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use super::flow::flows;
use super::graph::{Graph, KindOfRecords, kinds};
use super::stats::Stats;
use crate::dashboard::page_error::PageError;
use crate::dashboard::state::Dashboard;
use crate::dashboard::visitor::Visitor;
use crate::overview::{Problem, RecipeRow};

#[derive(Serialize)]
struct Page<'a> {
    recipes: Vec<Row<'a>>,
    /// Which recipes write what starts which.
    kinds: Vec<KindOfRecords<'a>>,
    /// They as a drawing.
    graph: Option<Graph>,
}

#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    row: &'a RecipeRow,
    stats: Stats,
    /// The number of problems that are about it.
    problems: usize,
}

/// The page.
pub(in crate::dashboard) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
) -> Result<Response, PageError> {
    let status = dashboard.status().await?;
    let mut rows = Vec::new();
    for row in &status.recipes {
        let is_its = |problem: &&Problem| problem.recipe.as_ref() == Some(&row.recipe);
        let problems = status.problems.iter().filter(is_its).count();
        rows.push(Row { row, stats: dashboard.stats(&row.recipe).await?, problems });
    }
    let flows = flows(&dashboard.recipes().used, &dashboard.context().workspace.catalog);
    let kinds = kinds(&flows);
    dashboard.page("recipes.html", &visitor, &Page { recipes: rows, graph: Graph::of(&kinds), kinds })
}
