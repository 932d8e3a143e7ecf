//! Under which names the dashboard may be asked for. A name that somebody else has pointed at this machine would let their
//! pages read it.

use std::net::{IpAddr, SocketAddr};

use axum::http::header::HOST;
use axum::http::{HeaderMap, Uri};
use url::Host;

use super::refusal::Refusal;
use crate::workspace::DashboardAccess;

/// The host that a request is for, with its port, if it is one of this server.
pub(super) fn check<'h>(
    uri: &Uri,
    headers: &'h HeaderMap,
    listening: SocketAddr,
    access: &DashboardAccess,
) -> Result<&'h str, Refusal> {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return Err(Refusal::NoHost) };
    let host = host.to_str().map_err(|_| Refusal::NoHost)?;
    // `GET http://other/ HTTP/1.1` is for a proxy.
    if uri.authority().is_some() {
        return Err(Refusal::NoHost);
    }
    let known = name(host).is_some_and(|name| is_known(&name, listening, access));
    if known { Ok(host) } else { Err(Refusal::UnknownHost) }
}

/// The name of a host, without its port.
fn name(host: &str) -> Option<Host<String>> {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (host, None),
    };
    port.is_none_or(|port| port.parse::<u16>().is_ok()).then(|| Host::parse(name).ok())?
}

fn is_known(host: &Host<String>, listening: SocketAddr, access: &DashboardAccess) -> bool {
    let is_own = |address: IpAddr| {
        let (address, own) = (address.to_canonical(), listening.ip().to_canonical());
        // Names can be pointed anywhere, addresses cannot.
        address.is_loopback() || own.is_unspecified() || address == own
    };
    let by_address = match host {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => is_own((*address).into()),
        Host::Ipv6(address) => is_own((*address).into()),
    };
    by_address
        || access.hosts.contains(&host.to_string())
        || access.url.as_ref().is_some_and(|url| url.host_str() == Some(&host.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn is_taken(listening: &str, hosts: &[&str]) -> bool {
        let url = "https://hob.example.com".parse().ok();
        let access =
            DashboardAccess { url, hosts: vec!["hob.internal".to_owned()], ..DashboardAccess::default() };
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, HeaderValue::from_str(host).unwrap());
        }
        check(&Uri::from_static("/"), &headers, listening.parse().unwrap(), &access).is_ok()
    }

    #[test]
    fn only_own_names_are_answered() {
        let here = "127.0.0.1:8787";
        for (listening, host, taken) in [
            (here, "127.0.0.1:8787", true),
            (here, "localhost", true),
            (here, "LOCALHOST:8787", true),
            (here, "[::1]:8787", true),
            (here, "hob.internal:80", true),
            (here, "Hob.Example.com", true),
            (here, "evil.example", false),
            (here, "localhost.evil.example", false),
            (here, "127.0.0.1.evil.example", false),
            (here, "hob.example.com.evil.example", false),
            (here, "localhost:8787@evil.example", false),
            (here, "localhost:port", false),
            (here, "192.0.2.1", false),
            (here, "", false),
            ("0.0.0.0:8787", "192.0.2.1:8787", true),
            ("0.0.0.0:8787", "rebound.example", false),
            ("192.0.2.1:8787", "192.0.2.1:8787", true),
            ("192.0.2.1:8787", "192.0.2.2:8787", false),
        ] {
            assert_eq!(is_taken(listening, &[host]), taken, "{listening} {host}");
        }
        assert!(!is_taken(here, &[]) && !is_taken(here, &["localhost", "localhost"]));
    }
}
