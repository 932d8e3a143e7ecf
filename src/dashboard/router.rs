//! The routes.

use axum::routing::{get, post};
use axum::{Extension, Router, middleware};
use tokio::sync::watch;

use super::state::Dashboard;
use super::{
    access, activity, asset, catalog, changes, compress, connections, find, fix, fleet, now, recipes, run,
    runs, try_out,
};

impl Dashboard {
    /// All routes. Streams of events end when `stopped` becomes true.
    pub fn router(&self, stopped: watch::Receiver<bool>) -> Router {
        Router::new()
            .route("/", get(now::show))
            .route("/activity", get(activity::show))
            .route("/changes", get(changes::show).layer(Extension(changes::Stopped(stopped))))
            .route("/runs", get(runs::show))
            .route("/runs/{id}", get(run::show).post(run::act))
            .route("/find", get(find::show))
            .route("/fix", get(fix::preview).post(fix::act))
            .route("/fix/{id}", get(fix::progress))
            .route("/fix/{id}/stop", post(fix::stop))
            .route("/recipes", get(recipes::list))
            .route("/recipes/{name}", get(recipes::one))
            .route("/recipes/{name}/versions", get(recipes::versions))
            .route("/recipes/{name}/pause", post(recipes::pause))
            .route("/recipes/{name}/resume", post(recipes::resume))
            .route("/recipes/{name}/connections/{connection}/pause", post(recipes::pause_on))
            .route("/recipes/{name}/connections/{connection}/resume", post(recipes::resume_on))
            .route("/connections", get(connections::show))
            .route("/fleet", get(fleet::show))
            .route("/catalog", get(catalog::list))
            .route("/catalog/{id}", get(catalog::one))
            .route("/catalog/{id}/try", get(try_out::show).post(try_out::submit))
            .route("/login", get(access::show_login).post(access::log_in))
            .route("/logout", post(access::log_out))
            .route("/audit-log", get(access::show_log))
            .layer(middleware::from_fn(compress::pages))
            .route("/assets/{hash}/{name}", get(asset::serve))
            .layer(middleware::from_fn_with_state(self.clone(), access::admit))
            .layer(middleware::from_fn(access::protect))
            .with_state(self.clone())
    }
}
