//! The routes.

use axum::routing::get;
use axum::{Router, middleware};

use super::state::Dashboard;
use super::{asset, compress, local_operator, now};

impl Dashboard {
    /// All routes.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/", get(now::show))
            .layer(middleware::from_fn(compress::pages))
            .route("/assets/{hash}/{name}", get(asset::serve))
            .layer(middleware::from_fn(local_operator::admit))
            .with_state(self.clone())
    }
}
