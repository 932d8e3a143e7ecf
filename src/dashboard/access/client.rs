//! The address of a client.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName};

use crate::server::Ends;
use crate::workspace::Network;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the client of `request`: that of the other end, or, where that is a proxy of `proxies`, the one that the
/// proxy saw.
pub(super) fn address(request: &Request, proxies: &[Network]) -> Option<IpAddr> {
    let ends = request.extensions().get::<Ends>()?;
    Some(seen_by_proxies(ends.peer.ip().to_canonical(), request.headers(), proxies))
}

/// Each proxy appends the address that it saw. Those before the first one that is no proxy of ours may be made up.
fn seen_by_proxies(peer: IpAddr, headers: &HeaderMap, proxies: &[Network]) -> IpAddr {
    let told: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .flat_map(|value| value.to_str().unwrap_or_default().split(','))
        .collect();
    let mut seen = peer;
    for address in told.iter().rev() {
        if !proxies.iter().any(|proxy| proxy.contains(seen)) {
            break;
        }
        let Ok(address) = address.trim().parse::<IpAddr>() else { break };
        seen = address.to_canonical();
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn only_proxies_are_believed() {
        let proxies: Vec<Network> = ["127.0.0.1", "10.0.0.0/8"].map(|proxy| proxy.parse().unwrap()).into();
        for (peer, told, client) in [
            ("127.0.0.1", &["192.0.2.7"][..], "192.0.2.7"),
            ("127.0.0.1", &["203.0.113.1, 192.0.2.7"], "192.0.2.7"),
            ("127.0.0.1", &["203.0.113.1", "192.0.2.7, 10.1.1.1"], "192.0.2.7"),
            ("192.0.2.9", &["203.0.113.1"], "192.0.2.9"),
            ("127.0.0.1", &["203.0.113.1, nonsense"], "127.0.0.1"),
            ("127.0.0.1", &[], "127.0.0.1"),
            ("127.0.0.1", &["10.0.0.2"], "10.0.0.2"),
        ] {
            let mut headers = HeaderMap::new();
            for value in told {
                headers.append(FORWARDED_FOR, HeaderValue::from_static(value));
            }
            let found = seen_by_proxies(peer.parse().unwrap(), &headers, &proxies);
            assert_eq!(found.to_string(), client, "{peer} {told:?}");
        }
    }
}
