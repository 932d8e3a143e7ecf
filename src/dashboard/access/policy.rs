//! The rules of access, and what the guard remembers.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderMap, Version};
use tokio::sync::Semaphore;

use super::attempts::Attempts;
use super::fetch::authority;
use crate::operator::{Account, TokenHash, secret};
use crate::server::{Ends, is_local_caller};
use crate::workspace::DashboardAccess;

/// Passwords that are checked at the same time. Each keeps a processor busy.
const CHECKED_AT_ONCE: usize = 2;

/// The rules of access, and what the guard remembers. Cheap to clone.
#[derive(Clone)]
pub(in crate::dashboard) struct Access(Arc<Shared>);

struct Shared {
    rules: DashboardAccess,
    /// To which the forms of callers without a session are bound. `None` if the system has no random bytes: then they cannot
    /// act.
    local_secret: Option<String>,
    attempts: Attempts,
    checks: Semaphore,
}

impl Access {
    /// The access that hob.yaml gives.
    pub(in crate::dashboard) fn new(rules: DashboardAccess) -> Self {
        let shared = Shared {
            rules,
            local_secret: secret().ok(),
            attempts: Attempts::default(),
            checks: Semaphore::new(CHECKED_AT_ONCE),
        };
        Self(Arc::new(shared))
    }

    pub(super) fn rules(&self) -> &DashboardAccess {
        &self.0.rules
    }

    pub(super) fn local_secret(&self) -> Option<&str> {
        self.0.local_secret.as_deref()
    }

    pub(super) fn attempts(&self) -> &Attempts {
        &self.0.attempts
    }

    pub(super) fn checks(&self) -> &Semaphore {
        &self.0.checks
    }

    /// Whether anybody can log in.
    pub(super) fn has_operators(&self) -> bool {
        !self.0.rules.operators.is_empty()
    }

    /// The operator of this name.
    pub(super) fn account(&self, name: &str) -> Option<&Account> {
        self.0.rules.operators.iter().find(|account| account.name == name)
    }

    /// The operator with this token. All are compared by their hashes.
    pub(super) fn account_of_token(&self, token: &str) -> Option<&Account> {
        let hash = TokenHash::of(token);
        self.0.rules.operators.iter().find(|account| account.token() == Some(&hash))
    }

    /// Whether the caller needs no login: somebody on this machine, unless hob.yaml wants a login of everyone. Requests of
    /// HTTP/1.0 come from proxies that say nothing of their clients.
    pub(super) fn needs_no_login(&self, request: &Request) -> bool {
        !self.0.rules.login_always && request.version() >= Version::HTTP_11 && is_local_caller(request)
    }

    /// Whether browsers reach this server by https as `host`.
    pub(super) fn is_secure(&self, host: &str) -> bool {
        let url = self.0.rules.url.as_ref().filter(|url| url.scheme() == "https");
        url.and_then(authority).is_some_and(|known| known.eq_ignore_ascii_case(host))
    }
}

/// The address that the server listens at.
pub(super) fn listening(request: &Request) -> Option<SocketAddr> {
    request.extensions().get::<Ends>().map(|ends| ends.listening)
}

/// The bearer token of a request.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(axum::http::header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}
