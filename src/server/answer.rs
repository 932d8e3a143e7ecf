//! Answers as JSON.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::printable;

/// Most characters of a reason.
const LONGEST: usize = 1_000;

/// A refusal with its reason.
pub(super) fn refuse(status: StatusCode, reason: &str) -> Response {
    answer(status, &json!({ "error": printable::line(reason, LONGEST) }))
}

/// An answer. People read it in terminals, and some of it is what a stranger sent.
pub(super) fn answer(status: StatusCode, value: &Value) -> Response {
    let text = printable::json(&value.to_string()).into_owned();
    (status, [(CONTENT_TYPE, "application/json")], text).into_response()
}
