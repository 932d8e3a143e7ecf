//! What an operator did, for the audit log.

use axum::Extension;
use axum::response::{IntoResponse, Response};

use crate::journal::Act;

/// Something that an operator did. The answer to the request has it among its extensions, from which the guard records it;
/// without it the audit log has only the path of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// What was done.
    pub act: Act,
    /// To what: a run, a cause, a recipe.
    pub target: String,
    /// The number of runs that were changed.
    pub runs: u64,
}

impl AuditRecord {
    pub(super) fn new(act: Act, target: impl Into<String>) -> Self {
        Self { act, target: target.into(), runs: 0 }
    }

    pub(super) fn changed(self, runs: usize) -> Self {
        Self { runs: runs as u64, ..self }
    }

    /// The answer, with this.
    pub(super) fn then(self, answer: impl IntoResponse) -> Response {
        (Extension(self), answer).into_response()
    }
}
