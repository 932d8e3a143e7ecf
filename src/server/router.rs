//! The routes.

use axum::Router;
use axum::middleware;
use axum::routing::{any, get};

use super::answer::nothing;
use super::{Server, health, local_caller, metrics, request_id, webhook};

impl Server {
    /// All routes.
    pub fn router(&self) -> Router {
        self.router_with(Router::new())
    }

    /// All routes, and those of `pages`.
    pub fn router_with(&self, pages: Router) -> Router {
        Router::new()
            .route("/webhooks/{*path}", any(webhook::answer))
            .route("/healthz", get(health::alive))
            .route("/readyz", get(health::ready))
            .merge(self.guarded())
            .merge(pages.with_state(()))
            .fallback(nothing)
            .layer(middleware::from_fn(request_id::give))
            .with_state(self.clone())
    }

    fn guarded(&self) -> Router<Self> {
        let guard = middleware::from_fn_with_state(self.clone(), local_caller::guard);
        Router::new().route("/metrics", get(metrics::metrics).layer(guard))
    }

    /// The routes of the metrics address.
    pub fn metrics_router(&self) -> Router {
        Router::new().route("/metrics", get(metrics::metrics)).fallback(nothing).with_state(self.clone())
    }
}
