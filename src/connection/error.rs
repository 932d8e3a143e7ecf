//! Why a connection cannot be made or used.

use crate::catalog::Connector;

/// A connection that cannot be made or used. Never holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither the connection nor its connector says where the API is.
    #[error(
        "connection `{connection}` has no address: give it a `base_url`, its connector `{connector}` has none"
    )]
    NoAddress {
        /// The connection.
        connection: String,
        /// Its connector.
        connector: String,
    },
    /// The address is none.
    #[error("`{address}` is not an http(s) address ({reason}); write it like https://api.example.com/v1")]
    BadAddress {
        /// What was given.
        address: String,
        /// The complaint.
        reason: String,
    },
    /// The address has a query or a fragment.
    #[error(
        "`{address}` has more than an address: a query (`?…`) or fragment (`#…`) is not part of it; a key belongs under `auth`, other parameters under `with`"
    )]
    MoreThanAddress {
        /// What was given, without the query.
        address: String,
    },
    /// A request rate that cannot be read.
    #[error("`{text}` is not a rate; write requests per time, like 100/10s")]
    BadRate {
        /// What was given.
        text: String,
    },
    /// A credential that cannot stand in a header.
    #[error(
        "the {what} of connection `{connection}` holds characters that a header cannot carry; check for line breaks or spaces at its end"
    )]
    BadHeader {
        /// The connection.
        connection: String,
        /// Which part.
        what: String,
    },
    /// The credential's kind is not one that the connector takes.
    #[error("connector `{connector}` takes no `{kind}`; authenticate with {known}")]
    NoScheme {
        /// The connector.
        connector: String,
        /// The kind.
        kind: &'static str,
        /// Kinds it takes.
        known: String,
    },
    /// The connector's way to log in cannot be used.
    #[error("the login of connector `{connector}` cannot be used: {what}")]
    BadLogin {
        /// The connector.
        connector: String,
        /// What is wrong.
        what: String,
    },
    /// OAuth that needs nobody's consent.
    #[error(
        "connector `{connector}` gives tokens for client credentials (it has no `authorize_url`), so there is nothing to connect"
    )]
    NoConsent {
        /// The connector.
        connector: String,
    },
    /// A credential that needs nobody's consent.
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
    /// The file with a connection's tokens cannot be used.
    #[error("cannot {what} the tokens in {path}: {reason}; `hob connect` replaces them")]
    TokenFile {
        /// The file.
        path: String,
        /// Read or write.
        what: &'static str,
        /// Why not.
        reason: String,
    },
    /// Another process does not let go of a connection's tokens.
    #[error("another process has been changing {path} for too long")]
    TokensHeld {
        /// The file.
        path: String,
    },
    /// The program ends.
    #[error("stopped while fetching a token for connection `{connection}`")]
    Stopped {
        /// The connection.
        connection: String,
    },
    /// The token endpoint did not give a token.
    #[error("no token from {url}: {reason}")]
    NoToken {
        /// The endpoint.
        url: String,
        /// Why.
        reason: String,
        /// Another try may help: no answer, 429 or 5xx.
        passing: bool,
    },
    /// The TLS stack cannot be set up.
    #[error("the HTTP client cannot start: {reason}")]
    Transport {
        /// Why.
        reason: String,
    },
}

impl Error {
    /// `connector` has no way called `kind`.
    pub(super) fn no_scheme(connector: &Connector, kind: &'static str) -> Self {
        let mut known: Vec<String> =
            connector.auth.iter().map(|scheme| format!("`{}`", scheme.name())).collect();
        known.dedup();
        let known = if known.is_empty() { "nothing: leave `auth` out".into() } else { known.join(", ") };
        Self::NoScheme { connector: connector.connector.clone(), kind, known }
    }

    /// Whether another try may help.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::NoToken { passing: true, .. } | Self::TokensHeld { .. } | Self::Stopped { .. })
    }
}
