//! What a page takes from a request.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::operator::{CsrfToken, Operator};
use super::page_error::PageError;

/// The operator who asks, and how.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    pub(super) operator: Operator,
    /// For forms.
    pub(super) csrf: Option<String>,
    /// The path that was asked for.
    pub(super) path: String,
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, PageError> {
        let operator = parts.extensions.get::<Operator>().cloned().ok_or(PageError::NotAdmitted)?;
        let csrf = parts.extensions.get::<CsrfToken>().map(|token| token.0.clone());
        Ok(Self { operator, csrf, path: parts.uri.path().to_owned() })
    }
}

impl Visitor {
    /// Fails unless the operator may change something.
    pub(super) fn must_act(&self) -> Result<(), PageError> {
        if self.operator.may_act() { Ok(()) } else { Err(PageError::ViewOnly) }
    }
}
