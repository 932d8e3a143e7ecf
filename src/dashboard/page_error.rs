//! Why there is no page.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::renderer;
use crate::journal;

/// Why a request gets no page.
#[derive(Debug, thiserror::Error)]
pub(super) enum PageError {
    /// Nobody let the caller in.
    #[error("log in first")]
    NotAdmitted,
    /// The operator may only look.
    #[error("your login may only look; this needs one that may act")]
    ViewOnly,
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// What was sent cannot be used.
    #[error("{0}")]
    Unusable(String),
    /// The store does not answer.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// What it shows cannot be written down.
    #[error("the page cannot be shown: {0}")]
    Unwritable(serde_json::Error),
    /// A template is wrong.
    #[error("the page cannot be shown: {0}")]
    Template(#[from] minijinja::Error),
}

impl PageError {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotAdmitted => StatusCode::UNAUTHORIZED,
            Self::ViewOnly => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Unusable(_) => StatusCode::BAD_REQUEST,
            Self::Journal(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unwritable(_) | Self::Template(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let status = self.status();
        if status.is_server_error() {
            tracing::error!(error = %self, "a page of the dashboard cannot be shown");
        }
        let page = json!({ "title": status.canonical_reason(), "reason": self.to_string() });
        match renderer::render("error.html", &page) {
            Ok(html) => (status, renderer::html(html)).into_response(),
            Err(_) => (status, self.to_string()).into_response(),
        }
    }
}
