//! Why a connection cannot be created or used.

use crate::catalog::Connector;

/// Why a connection cannot be created or used. Never contains a secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither the connection nor its connector has a base URL.
    #[error(
        "connection `{connection}` has no address: give it a `base_url`, its connector `{connector}` has none"
    )]
    NoAddress {
        /// The connection.
        connection: String,
        /// Its connector.
        connector: String,
    },
    /// The address is invalid.
    #[error("`{address}` is not an http(s) address ({reason}); write it like https://api.example.com/v1")]
    BadAddress {
        /// The given address.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The address has a query or a fragment.
    #[error(
        "`{address}` has more than an address: a query (`?…`) or fragment (`#…`) is not part of it; a key belongs under `auth`, other parameters under `with`"
    )]
    MoreThanAddress {
        /// The given address without its query.
        address: String,
    },
    /// A request rate that cannot be parsed.
    #[error("`{text}` is not a rate; write requests per time, like 100/10s")]
    BadRate {
        /// The given rate.
        text: String,
    },
    /// A credential with characters that a header cannot contain.
    #[error(
        "the {what} of connection `{connection}` holds characters that a header cannot carry; check for line breaks or spaces at its end"
    )]
    BadHeader {
        /// The connection.
        connection: String,
        /// Which part.
        what: String,
    },
    /// The connector does not support the credential's kind.
    #[error("connector `{connector}` takes no `{kind}`; authenticate with {known}")]
    NoScheme {
        /// The connector.
        connector: String,
        /// The kind.
        kind: &'static str,
        /// The kinds it supports.
        known: String,
    },
    /// The connector's login description is invalid.
    #[error("the login of connector `{connector}` cannot be used: {what}")]
    BadLogin {
        /// The connector.
        connector: String,
        /// What is wrong.
        what: String,
    },
    /// An OAuth connector that needs no consent.
    #[error(
        "connector `{connector}` gives tokens for client credentials (it has no `authorize_url`), so there is nothing to connect"
    )]
    NoConsent {
        /// The connector.
        connector: String,
    },
    /// A credential that needs no consent.
    #[error("connection `{connection}` has no `oauth` under `auth`, so there is nothing to connect")]
    NoConsentNeeded {
        /// The connection.
        connection: String,
    },
    /// Nobody has consented yet.
    #[error("connection `{connection}` is not connected; run `hob connect {connection}`")]
    NotConnected {
        /// The connection.
        connection: String,
    },
    /// The refresh token is used up, has expired or was revoked.
    #[error(
        "connection `{connection}` is no longer connected; run `hob connect {connection}` again (no token from {url}: {reason})"
    )]
    ConsentEnded {
        /// The connection.
        connection: String,
        /// The endpoint.
        url: String,
        /// Why.
        reason: String,
    },
    /// The token file cannot be used.
    #[error("cannot {what} the tokens in {path}: {reason}; `hob connect` replaces them")]
    TokenFile {
        /// The file.
        path: String,
        /// Read or write.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// Another process holds the lock of a connection's tokens.
    #[error("another process has been changing {path} for too long")]
    TokensHeld {
        /// The file.
        path: String,
    },
    /// The program is ending.
    #[error("stopped while fetching a token for connection `{connection}`")]
    Stopped {
        /// The connection.
        connection: String,
    },
    /// The token endpoint gave no token.
    #[error("no token from {url}: {reason}")]
    NoToken {
        /// The endpoint.
        url: String,
        /// Why.
        reason: String,
        /// Whether a retry may help: no answer, 429 or 5xx.
        transient: bool,
    },
    /// TLS cannot be set up.
    #[error("the HTTP client cannot start: {reason}")]
    Transport {
        /// Why.
        reason: String,
    },
}

impl Error {
    /// The error for a kind that `connector` does not support.
    pub(super) fn no_scheme(connector: &Connector, kind: &'static str) -> Self {
        let mut known: Vec<String> =
            connector.auth.iter().map(|scheme| format!("`{}`", scheme.name())).collect();
        known.dedup();
        let known = if known.is_empty() { "nothing: leave `auth` out".into() } else { known.join(", ") };
        Self::NoScheme { connector: connector.connector.clone(), kind, known }
    }

    /// Whether a retry may help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::NoToken { transient: true, .. } | Self::TokensHeld { .. } | Self::Stopped { .. })
    }
}
