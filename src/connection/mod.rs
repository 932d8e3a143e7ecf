//! One account on a connector: where it is, its credential, its budget of requests, and whether it is
//! answering at all. Refuses to know what is asked for: requests are the next module's.

mod account;
mod breaker;
mod budget;
mod credential;
mod oauth;
mod rate;
mod transport;
mod window;

pub use account::{Connection, Setup, address};
pub use breaker::Breaker;
pub use budget::{Budget, Exhausted, Permit, Priority};
pub use credential::{ApiHeader, Credential, OauthSettings};
pub use rate::{BudgetSettings, Rate};
pub(crate) use transport::with_causes;
pub use transport::{TransportSettings, http_client};

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
    #[error("connector `{connector}` has no OAuth; authenticate with {known}")]
    NoOauth {
        /// The connector.
        connector: String,
        /// Kinds it takes.
        known: String,
    },
    /// OAuth that needs a person's consent in a browser.
    #[error(
        "connector `{connector}` gives OAuth tokens only after consent in a browser, which this hob cannot ask for yet; use `auth: {{ token: … }}` with a private token"
    )]
    NeedsConsent {
        /// The connector.
        connector: String,
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
