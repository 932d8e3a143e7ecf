//! `/activity`: the last hour as JSON, for the plot.

use axum::Json;
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;

use super::page_error::PageError;
use super::state::Dashboard;
use super::visitor::Visitor;

/// The last hour.
pub(super) async fn show(
    State(dashboard): State<Dashboard>,
    _visitor: Visitor,
) -> Result<impl IntoResponse, PageError> {
    Ok(([(CACHE_CONTROL, "no-store")], Json(dashboard.last_hour().await?)))
}
