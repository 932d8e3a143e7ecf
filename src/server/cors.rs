//! Requests that a page sends from a browser (the Fetch Standard, CORS): a browser asks first whether it may, and
//! lets the page see only answers that name it.

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ALLOW, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::answer::refuse;

/// Seconds for which a browser need not ask again.
const REMEMBERED: HeaderValue = HeaderValue::from_static("600");

/// The page's origin, if it is allowed.
pub(super) fn origin(headers: &HeaderMap, is_allowed: impl Fn(&str) -> bool) -> Option<HeaderValue> {
    let origin = headers.get(ORIGIN)?;
    is_allowed(origin.to_str().ok()?).then(|| origin.clone())
}

/// The answer to a browser that asks whether it may.
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

/// The answer, to be seen by the page as well.
pub(super) fn allowing(mut response: Response, origin: Option<HeaderValue>) -> Response {
    response.headers_mut().insert(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    response
}
