//! `GET /healthz`: the process answers. `GET /readyz`: the store accepts writes and accepted the last one.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::Server;
use super::answer::refuse;
use super::local_caller::is_local_caller;

pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// The reason is shown to local callers only, because it names the store.
pub(super) async fn ready(State(server): State<Server>, request: Request) -> Response {
    let shared = server.shared();
    let well = shared.services.journal.healthy().await;
    match well.and_then(|()| {
        shared.recovery.remaining_failure(shared.services.journal.last_failure(), shared.services.clock.now())
    }) {
        Ok(()) => "ok\n".into_response(),
        Err(error) => {
            let reason = match is_local_caller(&request) {
                true => error.to_string(),
                false => "the store does not take writes now; the log says why".to_owned(),
            };
            tracing::warn!(%error, "not ready");
            refuse(StatusCode::SERVICE_UNAVAILABLE, &reason)
        }
    }
}
