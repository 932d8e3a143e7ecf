//! Which address does what.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, Uri};
use axum::middleware;
use axum::response::Response;
use axum::routing::{any, get};

use super::answer::refuse;
use super::{Server, health, metrics, request_id, webhook};

impl Server {
    /// All addresses.
    pub fn router(&self) -> Router {
        let limit = DefaultBodyLimit::max(self.shared().settings.largest_body);
        Router::new()
            .route("/webhooks/{*path}", any(webhook::answer).layer(limit))
            .route("/healthz", get(health::alive))
            .route("/readyz", get(health::ready))
            .route("/metrics", get(metrics::metrics))
            .fallback(nothing)
            .layer(middleware::from_fn(request_id::give))
            .with_state(self.clone())
    }
}

async fn nothing(uri: Uri) -> Response {
    refuse(StatusCode::NOT_FOUND, &format!("there is nothing at {}", uri.path()))
}
