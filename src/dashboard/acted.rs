//! What an operator did, for the audit log.

use axum::Extension;
use axum::response::{IntoResponse, Response};

/// Something that an operator did. The answer to the request has it among its extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acted {
    /// In a few words.
    pub what: String,
}

impl Acted {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into() }
    }

    /// The answer, with this.
    pub(super) fn then(self, answer: impl IntoResponse) -> Response {
        (Extension(self), answer).into_response()
    }
}
