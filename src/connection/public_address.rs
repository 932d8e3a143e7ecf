//! Protection against server-side request forgery: a request to a host from outside may not reach this machine, its
//! network, or a cloud's metadata service.
//!
//! The addresses of a name are checked when connecting, so that the checked address is the one connected to and a
//! name cannot change in between.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// A host from outside leads to an address that is not public.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{host} {what}, and the host comes from an event or an answer, which may name public ones only; \
     if it is meant, write the host itself in the recipe or in an `env` value"
)]
pub struct NotPublic {
    /// The given host.
    pub host: String,
    /// What it is, or what it leads to.
    pub what: String,
}

impl NotPublic {
    fn new(host: &str, address: IpAddr, kind: &str) -> Self {
        let text = address.to_string();
        let what = match host.trim_start_matches('[').trim_end_matches(']') == text {
            true => format!("is {kind}"),
            false => format!("leads to {text}, which is {kind}"),
        };
        Self { host: host.to_owned(), what }
    }
}

/// Whether `url` names a public address, as far as can be seen without resolving names.
pub fn check_public(url: &Url) -> Result<(), NotPublic> {
    let address = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
        Some(Host::Domain(name)) if is_localhost(name) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        Some(Host::Domain(_)) | None => return Ok(()),
    };
    check_address(url.host_str().unwrap_or_default(), address)
}

/// Names of this machine that not every resolver knows.
fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case("localhost"))
}

fn check_address(host: &str, address: IpAddr) -> Result<(), NotPublic> {
    kind(address).map_or(Ok(()), |kind| Err(NotPublic::new(host, address, kind)))
}

type Lookup = Arc<dyn Fn(String) -> BoxFuture<'static, std::io::Result<Vec<SocketAddr>>> + Send + Sync>;

/// A resolver that rejects names with non-public addresses.
#[derive(Clone)]
pub(super) struct PublicOnly {
    lookup: Lookup,
}

impl PublicOnly {
    /// Uses the system's resolver.
    pub(super) fn new() -> Self {
        Self::by(|host| {
            Box::pin(async move { Ok(tokio::net::lookup_host((host.as_str(), 0)).await?.collect()) })
        })
    }

    pub(super) fn by(
        lookup: impl Fn(String) -> BoxFuture<'static, std::io::Result<Vec<SocketAddr>>> + Send + Sync + 'static,
    ) -> Self {
        Self { lookup: Arc::new(lookup) }
    }
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let found = (self.lookup)(name.as_str().to_owned());
        Box::pin(async move {
            let found = found.await?;
            // A single non-public address rejects the name, because any of them may be used.
            found.iter().try_for_each(|address| check_address(name.as_str(), address.ip()))?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

impl fmt::Debug for PublicOnly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicOnly")
    }
}

/// The reason why a request was not sent, if it was this one.
pub fn not_public(error: &reqwest::Error) -> Option<&NotPublic> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

/// Non-public networks, from the registries of special-purpose addresses (RFC 6890 and IANA).
const V4: [(Ipv4Addr, u32, &str); 19] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, "this machine"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "this machine"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "in a private network"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "in a private network"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "in a private network"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "in a provider's network"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local, where clouds keep their metadata"),
    // Azure's agent.
    (Ipv4Addr::new(168, 63, 129, 16), 32, "a cloud's own service"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "reserved"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "for documentation"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "for documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "for documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "a relay"),
    (Ipv4Addr::new(192, 31, 196, 0), 24, "reserved"),
    (Ipv4Addr::new(192, 52, 193, 0), 24, "reserved"),
    (Ipv4Addr::new(192, 175, 48, 0), 24, "reserved"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "for benchmarks"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

/// The kind of a non-public address.
fn kind(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => kind_of_v4(address),
        IpAddr::V6(address) => kind_of_v6(address),
    }
}

fn kind_of_v4(address: Ipv4Addr) -> Option<&'static str> {
    let within = |(network, length, _): &&(Ipv4Addr, u32, &str)| {
        (address.to_bits() ^ network.to_bits()).checked_shr(32 - length).unwrap_or(0) == 0
    };
    V4.iter().find(within).map(|(_, _, kind)| *kind)
}

fn kind_of_v6(address: Ipv6Addr) -> Option<&'static str> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let v4 = |high: u16, low: u16| kind_of_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    match (a, b) {
        _ if address.is_unspecified() || address.is_loopback() => Some("this machine"),
        // IPv4-mapped and similar IPv6 addresses are checked as IPv4.
        (0, 0) if (c, d, e, f) == (0, 0, 0, 0xffff) => v4(g, h),
        (0x64, 0xff9b) if (c, d, e, f) == (0, 0, 0, 0) => v4(g, h),
        (0x2002, _) => v4(b, c),
        _ if matches!((e, f), (0 | 0x200, 0x5efe)) => v4(g, h),
        (0xfc00..=0xfdff, _) => Some("in a private network"),
        (0xfe80..=0xfebf, _) => Some("link-local"),
        (0xfec0..=0xfeff, _) => Some("in a private network"),
        (0xff00..=0xffff, _) => Some("multicast"),
        (0x2001, 0..=0x1ff) => Some("reserved"),
        (0x2001, 0xdb8) | (0x3fff, 0..=0xfff) => Some("for documentation"),
        (0x2000..=0x3fff, _) => None,
        _ => Some("reserved"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_public() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "127.0.0.1",
            "127.255.255.254",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "100.100.100.200",
            "169.254.169.254",
            "168.63.129.16",
            "192.0.0.192",
            "198.18.0.1",
            "198.19.255.255",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "203.0.113.7",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "::8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:c0a8:101::1",
            "2001::1",
            "2001:db8::1",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "100::1",
            "5f00::1",
            "2a00::5efe:10.0.0.1",
            "2a00::200:5efe:7f00:1",
        ] {
            assert!(kind(text.parse().unwrap()).is_some(), "{text}");
        }
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.0.0.1",
            "128.0.0.1",
            "168.63.129.15",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::1",
            "2001:200::1",
            "2001:4860:4860::8888",
        ] {
            assert_eq!(kind(text.parse().unwrap()), None, "{text}");
        }
    }

    #[tokio::test]
    async fn a_name_is_what_it_resolves_to() {
        for (found, part) in [
            (vec!["127.0.0.1"], "127.0.0.1, which is this machine"),
            (vec!["8.8.8.8", "192.168.0.1"], "192.168.0.1, which is in a private network"),
            (vec!["2606:4700::1111", "fd00:ec2::254"], "fd00:ec2::254"),
        ] {
            let found: Vec<SocketAddr> =
                found.iter().map(|ip| (ip.parse::<IpAddr>().unwrap(), 0).into()).collect();
            let resolver = PublicOnly::by(move |_| {
                let found = found.clone();
                Box::pin(async move { Ok(found) })
            });
            let http = super::super::transport::public_client_by(&Default::default(), resolver).unwrap();
            let error = http.get("http://rebound.example.com/").send().await.unwrap_err();
            let told = not_public(&error).expect("refused for its address").to_string();
            assert!(told.contains(part) && told.contains("rebound.example.com"), "{told}");
        }
    }
}
