//! Restricts health details and metrics to local callers, since a webhook's address is public.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{Request, State};
use axum::http::header::{FORWARDED, HOST, VIA};
use axum::http::{HeaderMap, HeaderName};
use axum::middleware::Next;
use axum::response::Response;

use super::Server;
use super::answer::nothing;

/// The two ends of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Ends {
    /// The server's address.
    pub listening: SocketAddr,
    /// The client's address.
    pub peer: SocketAddr,
}

/// Headers added by proxies: then the client is elsewhere.
const BY_PROXIES: [HeaderName; 7] = [
    FORWARDED,
    VIA,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("cf-connecting-ip"),
];

/// Answers 404 unless metrics are open here.
pub(super) async fn guard(State(server): State<Server>, request: Request, next: Next) -> Response {
    match server.shared().settings.open_metrics {
        true => next.run(request).await,
        false => nothing(request.uri().clone()).await,
    }
}

/// Whether the client of `request` is on this machine.
pub fn is_local_caller(request: &Request) -> bool {
    let ends = request.extensions().get::<Ends>();
    ends.is_some_and(|ends| is_local(*ends, request.headers()))
}

/// Whether the client is on this machine. Requests through a forwarded port look local if the server listens on other
/// interfaces; proxies add headers or keep the public host name.
fn is_local(ends: Ends, headers: &HeaderMap) -> bool {
    let is_here = |address: IpAddr| address.to_canonical().is_loopback();
    is_here(ends.listening.ip())
        && is_here(ends.peer.ip())
        && !BY_PROXIES.iter().any(|name| headers.contains_key(name))
        && headers.get(HOST).is_none_or(|host| host.to_str().is_ok_and(names_this_machine))
}

/// Whether a `Host` header is a loopback name of this machine.
fn names_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn told(listening: &str, peer: &str, headers: &[(&str, &str)]) -> bool {
        let ends = Ends { listening: listening.parse().unwrap(), peer: peer.parse().unwrap() };
        let headers = headers.iter().map(|(name, value)| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
        });
        is_local(ends, &headers.collect())
    }

    #[test]
    fn strangers_and_whom_a_proxy_speaks_for_learn_nothing() {
        let here = "127.0.0.1:8787";
        for (listening, peer, headers, allowed) in [
            (here, "127.0.0.1:1", &[("host", "127.0.0.1:8787")][..], true),
            (here, "127.0.0.1:1", &[("host", "LocalHost:8787")], true),
            (here, "127.0.0.1:1", &[], true),
            ("[::1]:8787", "[::1]:1", &[("host", "[::1]:8787")], true),
            ("[::1]:8787", "[::ffff:127.0.0.1]:1", &[("host", "[::1]")], true),
            (here, "127.0.0.1:1", &[("host", "hooks.example.com")], false),
            (here, "127.0.0.1:1", &[("host", "127.0.0.1.example.com")], false),
            (here, "127.0.0.1:1", &[("host", "[::2]")], false),
            (here, "127.0.0.1:1", &[("host", "localhost"), ("x-forwarded-for", "127.0.0.1")], false),
            (here, "127.0.0.1:1", &[("host", "localhost"), ("via", "1.1 proxy")], false),
            (here, "127.0.0.1:1", &[("host", "localhost"), ("cf-connecting-ip", "192.0.2.7")], false),
            // A container with a forwarded port.
            ("0.0.0.0:8787", "127.0.0.1:1", &[("host", "localhost")], false),
            ("[::]:8787", "[::1]:1", &[("host", "localhost")], false),
            ("192.0.2.1:8787", "192.0.2.7:1", &[], false),
            (here, "192.0.2.7:1", &[], false),
        ] {
            assert_eq!(told(listening, peer, headers), allowed, "{listening} {peer} {headers:?}");
        }
    }
}
