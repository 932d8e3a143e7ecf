//! The address that webhooks are received at.

use std::net::SocketAddr;

/// An invalid address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an address and a port; write it like 127.0.0.1:8787")]
pub struct BadAddress(String);

/// Who may read metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Metrics {
    /// Nobody.
    #[default]
    Closed,
    /// Everyone who can reach the webhook address.
    Open,
    /// Everyone who can reach this separate address.
    At(SocketAddr),
}

/// Parses `127.0.0.1:8787`; accepts `localhost` and a port alone.
pub fn parse(text: &str) -> Result<SocketAddr, BadAddress> {
    let text = text.trim();
    let numeric = match text.split_once(':') {
        Some(("" | "localhost", port)) => format!("127.0.0.1:{port}"),
        None => format!("127.0.0.1:{text}"),
        Some(_) => text.to_owned(),
    };
    numeric.parse().map_err(|_| BadAddress(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_usual_forms() {
        for (text, address) in [
            ("0.0.0.0:80", "0.0.0.0:80"),
            ("localhost:1", "127.0.0.1:1"),
            (":1", "127.0.0.1:1"),
            ("1", "127.0.0.1:1"),
            ("[::1]:9", "[::1]:9"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), address);
        }
        assert!(parse("example.com:http").is_err());
    }
}
