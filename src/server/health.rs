//! `GET /healthz` and `GET /readyz`: the process answers; the store takes writes.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::Server;
use super::answer::refuse;

pub(super) async fn alive() -> &'static str {
    "ok\n"
}

pub(super) async fn ready(State(server): State<Server>) -> Response {
    match server.shared().journal.healthy().await {
        Ok(()) => "ok\n".into_response(),
        Err(error) => refuse(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
}
