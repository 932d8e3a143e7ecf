//! Compresses pages. What an attacker could choose never comes with a secret of someone else's: pages are sent to
//! requests of the same site only.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, VARY};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use flate2::Compression;

use super::gzip::{gzip, takes_gzip};

/// Smaller pages are sent as they are.
const LEAST: usize = 1_000;
/// The largest page; none is near it.
const MOST: usize = 32 << 20;

/// Compresses HTML and JSON; streams of events go on as they are.
pub(super) async fn pages(request: Request, next: Next) -> Response {
    let takes = takes_gzip(request.headers().get(ACCEPT_ENCODING));
    let response = next.run(request).await;
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_text = kind.starts_with("text/html") || kind.starts_with("application/json");
    if !takes || !is_text || response.headers().contains_key(CONTENT_ENCODING) {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, MOST).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    head.headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    if bytes.len() < LEAST {
        return Response::from_parts(head, Body::from(bytes));
    }
    head.headers.remove(CONTENT_LENGTH);
    head.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    Response::from_parts(head, Body::from(gzip(&bytes, Compression::new(5))))
}
