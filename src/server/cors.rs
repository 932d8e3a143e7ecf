//! Cross-origin requests (the Fetch Standard, CORS): a browser asks with a preflight request, and shows pages only
//! answers that allow their origin.

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ALLOW, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::answer::refuse;

/// Seconds for which browsers may cache a preflight answer.
const REMEMBERED: HeaderValue = HeaderValue::from_static("600");

/// The request's origin, if allowed.
pub(super) fn origin(headers: &HeaderMap, is_allowed: impl Fn(&str) -> bool) -> Option<HeaderValue> {
    let origin = headers.get(ORIGIN)?;
    is_allowed(origin.to_str().ok()?).then(|| origin.clone())
}

/// The answer to a preflight request.
pub(super) fn preflight(asked: &HeaderMap, origin: Option<&HeaderValue>) -> Response {
    if asked.contains_key(ORIGIN) && origin.is_none() {
        let reason = "pages of this origin may not send here; the recipe's `origins` lists those that may";
        return refuse(StatusCode::FORBIDDEN, reason);
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(ALLOW, HeaderValue::from_static("OPTIONS, POST"));
    if origin.is_some() {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
        headers.insert(ACCESS_CONTROL_MAX_AGE, REMEMBERED);
        if let Some(wanted) = asked.get(ACCESS_CONTROL_REQUEST_HEADERS) {
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
        }
    }
    response
}

/// Adds the headers that allow `origin` to read the answer.
pub(super) fn allowing(mut response: Response, origin: Option<HeaderValue>) -> Response {
    response.headers_mut().insert(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    response
}
