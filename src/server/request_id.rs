//! Assigns an id to every request, for logs and support.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;
use uuid::Uuid;

use super::answer::SHOWN;
use crate::printable;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Logs a request without its body, headers or query, and answers with its id.
pub(super) async fn give(request: Request, next: Next) -> Response {
    let id = Uuid::now_v7().simple().to_string();
    let method = printable::line(request.method().as_str(), SHOWN);
    let path = printable::line(request.uri().path(), SHOWN);
    let span = tracing::info_span!("request", id, method, path);
    async move {
        let mut response = next.run(request).await;
        tracing::debug!(status = response.status().as_u16(), "answered");
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(HEADER, id);
        }
        response
    }
    .instrument(span)
    .await
}
