//! JSON answers.

use axum::http::header::CONTENT_TYPE;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::printable;

/// Most characters of a reason.
const MAX_LENGTH: usize = 1_000;

/// An error answer with its reason.
pub(super) fn refuse(status: StatusCode, reason: &str) -> Response {
    answer(status, &json!({ "error": printable::line(reason, MAX_LENGTH) }))
}

/// An answer. Escaped, because people read it in terminals and parts of it come from strangers.
pub(super) fn answer(status: StatusCode, value: &Value) -> Response {
    let text = printable::json(&value.to_string()).into_owned();
    (status, [(CONTENT_TYPE, "application/json")], text).into_response()
}

/// Most characters of an address that is shown.
pub(super) const SHOWN: usize = 200;

/// The answer for unknown addresses.
pub(super) async fn nothing(uri: Uri) -> Response {
    refuse(StatusCode::NOT_FOUND, &format!("there is nothing at {}", printable::line(uri.path(), SHOWN)))
}
