//! The HTTP client that all requests go through.

use std::sync::Arc;
use std::time::Duration;

use super::Error;
use super::public_address::PublicOnly;

/// How requests travel.
#[derive(Debug, Clone)]
pub struct TransportSettings {
    /// Longest time to connect, TLS included.
    pub connect_timeout: Duration,
    /// Longest silence while an answer is read.
    pub read_timeout: Duration,
    /// Connections kept open per host.
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

/// A client that follows no redirects (a redirected POST would lose its body or its credential) and
/// whose TLS is rustls on ring.
pub fn http_client(settings: &TransportSettings) -> Result<reqwest::Client, Error> {
    builder(settings).build().map_err(|error| Error::Transport { reason: with_causes(&error) })
}

/// The same for hosts that others choose: it connects to public addresses only, and through no proxy, which would
/// resolve names by itself. Addresses that need no resolving are for [`check_public`](super::check_public).
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
        // Losing a race against another thread that installs the same provider is fine.
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

/// An error with all its causes, without the address: that may hold a secret.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
