//! Callers on this machine are operators; for everyone else there is no dashboard.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::operator::{Operator, Role};
use crate::server::is_local_caller;

/// Makes a local caller an operator who may act.
pub(super) async fn admit(mut request: Request, next: Next) -> Response {
    if !is_local_caller(&request) {
        return StatusCode::NOT_FOUND.into_response();
    }
    request.extensions_mut().insert(Operator { name: "local".to_owned(), role: Role::Act });
    next.run(request).await
}
