//! The HTTP client that all requests go through.

use std::sync::Arc;
use std::time::Duration;

use super::Error;
use super::public_address::PublicOnly;
use crate::diagnostic::with_causes;

/// Settings of the HTTP client.
#[derive(Debug, Clone)]
pub struct TransportSettings {
    /// Time limit for connecting, including TLS.
    pub connect_timeout: Duration,
    /// Longest pause while reading an answer.
    pub read_timeout: Duration,
    /// Idle connections kept per host.
    pub idle_per_host: usize,
}

impl Default for TransportSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(60),
            idle_per_host: 32,
        }
    }
}

/// A client that follows no redirects (a redirected POST would lose its body or its credential), with rustls on ring.
pub fn http_client(settings: &TransportSettings) -> Result<reqwest::Client, Error> {
    builder(settings).build().map_err(|error| Error::Transport { reason: with_causes(&error) })
}

/// The same for hosts from outside: it connects to public addresses only, and never through a proxy, which would
/// resolve names itself. Literal addresses are checked by [`check_public`](super::check_public).
pub fn public_http_client(settings: &TransportSettings) -> Result<reqwest::Client, Error> {
    public_client_by(settings, PublicOnly::new())
}

pub(super) fn public_client_by(
    settings: &TransportSettings,
    resolver: PublicOnly,
) -> Result<reqwest::Client, Error> {
    let built = builder(settings).no_proxy().dns_resolver(Arc::new(resolver)).build();
    built.map_err(|error| Error::Transport { reason: with_causes(&error) })
}

fn builder(settings: &TransportSettings) -> reqwest::ClientBuilder {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Another thread may install the same provider first.
        let _ = rustls::crypto::CryptoProvider::install_default(rustls::crypto::ring::default_provider());
    }
    reqwest::Client::builder()
        .user_agent(concat!("hob/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(settings.connect_timeout)
        .read_timeout(settings.read_timeout)
        .pool_max_idle_per_host(settings.idle_per_host)
        .pool_idle_timeout(Duration::from_secs(30))
        .tcp_nodelay(true)
}
