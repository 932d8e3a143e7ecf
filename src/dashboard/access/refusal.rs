//! Why a request gets no page.

use axum::http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::dashboard::renderer;
use crate::journal;

/// Why a request gets no page.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// There is no `Host`, or several.
    #[error("the request does not say which host it is for")]
    NoHost,
    /// The host is not one of this server.
    #[error("the dashboard is not known under this name; `server: {{ hosts: [NAME] }}` in hob.yaml adds one")]
    UnknownHost,
    /// The method is none of GET, HEAD and POST.
    #[error("the dashboard takes GET, HEAD and POST")]
    Method,
    /// A page of another site sent it.
    #[error("this was sent by a page of another site, so nothing was done")]
    OtherSite,
    /// Nobody can log in.
    #[error(
        "the dashboard answers here only with a login, and there is none. In hob.yaml, add \
         `server: {{ dashboard: {{ operators: [{{ name: NAME, role: act, password_hash: HASH }}] }} }}`; \
         `hob operators password` makes the hash. On the machine that hob runs on, no login is needed"
    )]
    Closed,
    /// A login is needed.
    #[error("log in first")]
    NotLoggedIn,
    /// The token is none of an operator.
    #[error("the token in `Authorization` is not one of an operator in hob.yaml")]
    UnknownBearer,
    /// The operator may only look.
    #[error("your login may look, not act; `role: act` in hob.yaml allows it")]
    ViewOnly,
    /// The token of the page is missing.
    #[error(
        "the request has no token of a page, so nothing was done; send it from the dashboard's own page, or as a script with `Authorization: Bearer`"
    )]
    NoToken,
    /// The token is of another session.
    #[error("the page is of an earlier session, so nothing was done; reload it and try again")]
    WrongToken,
    /// The body is too large.
    #[error("the form is too large, or it broke off")]
    LargeBody,
    /// The body does not come.
    #[error("the form comes too slowly")]
    Slow,
    /// There were too many attempts.
    #[error("there were too many attempts to log in; try again in {0} minutes")]
    TooManyAttempts(i64),
    /// Others are being checked.
    #[error("too many log in at the same time; try again")]
    Busy,
    /// The system has no random bytes.
    #[error("the operating system has no random bytes, so nobody can log in")]
    NoRandomness,
    /// The store does not answer.
    #[error(transparent)]
    Journal(#[from] journal::Error),
}

/// Equal if they are of one kind.
impl PartialEq for Refusal {
    fn eq(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::NoHost => StatusCode::BAD_REQUEST,
            Self::UnknownHost => StatusCode::MISDIRECTED_REQUEST,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotLoggedIn | Self::UnknownBearer => StatusCode::UNAUTHORIZED,
            Self::OtherSite | Self::Closed | Self::ViewOnly | Self::NoToken | Self::WrongToken => {
                StatusCode::FORBIDDEN
            }
            Self::LargeBody => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::TooManyAttempts(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy | Self::NoRandomness | Self::Journal(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The answer, as a page for browsers and as JSON for programs.
    pub(super) fn answer(&self, headers: &HeaderMap) -> Response {
        if let Self::Journal(error) = self {
            tracing::error!(%error, "the dashboard cannot read the store");
        }
        // The reason names the store.
        let reason = match self {
            Self::Journal(_) => "the store does not answer now; the log says why".to_owned(),
            other => other.to_string(),
        };
        let status = self.status();
        let mut response = match takes_html(headers) {
            true => (status, page(status, &reason)).into_response(),
            false => {
                let json = json!({ "error": reason }).to_string();
                (status, [(CONTENT_TYPE, "application/json")], json).into_response()
            }
        };
        let added = match self {
            Self::TooManyAttempts(minutes) => {
                HeaderValue::from_str(&(minutes * 60).to_string()).ok().map(|wait| (RETRY_AFTER, wait))
            }
            Self::UnknownBearer | Self::NotLoggedIn => {
                Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"hob\"")))
            }
            _ => None,
        };
        if let Some((name, value)) = added {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// Whether the client shows pages.
pub(super) fn takes_html(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|kinds| kinds.contains("text/html"))
}

/// A page without links, because its reader may not be let in.
fn page(status: StatusCode, reason: &str) -> Response {
    let page = json!({ "title": status.canonical_reason(), "reason": reason });
    match renderer::render("refusal.html", &page) {
        Ok(html) => renderer::html(html),
        Err(_) => reason.to_owned().into_response(),
    }
}
