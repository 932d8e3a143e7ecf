//! Compresses pages. What an attacker could choose never comes with a secret of someone else's: pages are sent to
//! requests of the same site only.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, VARY};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use flate2::Compression;

use super::asset::gzip;

/// Smaller pages are sent as they are.
const LEAST: usize = 1_000;
/// The largest page; none is near it.
const MOST: usize = 32 << 20;

/// Whether a client reads gzip.
pub(super) fn takes_gzip(accepted: Option<&HeaderValue>) -> bool {
    let accepted = accepted.and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        let quality = quality.trim().strip_prefix("q=").and_then(|text| text.parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case("gzip") && quality.is_none_or(|quality| quality > 0.0)
    })
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_says_that_it_reads_gzip() {
        for (accepted, takes) in [
            ("gzip, deflate, br", true),
            ("br;q=1, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("br", false),
            ("", false),
        ] {
            assert_eq!(takes_gzip(HeaderValue::from_str(accepted).ok().as_ref()), takes, "{accepted}");
        }
        assert!(!takes_gzip(None));
    }
}
