//! Where to go after a login.

/// The most bytes of a path that is kept.
const MAX_PATH: usize = 2_000;

/// `wanted`, if it is a path on this server; else the first page.
pub(super) fn local(wanted: &str) -> &str {
    let plain = |c: char| c.is_ascii_graphic() && c != '\\';
    let is_local = wanted.starts_with('/') && !wanted.starts_with("//") && wanted.len() <= MAX_PATH;
    if is_local && wanted.chars().all(plain) { wanted } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_elsewhere() {
        for kept in ["/", "/runs/run_1?a=b&c=%2F%2F", "/find?q=a//b"] {
            assert_eq!(local(kept), kept);
        }
        for other in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "runs",
            "/a\r\nSet-Cookie: x=y",
            "/\t/evil.example",
            "/ü",
        ] {
            assert_eq!(local(other), "/", "{other}");
        }
        assert_eq!(local(&format!("/{}", "a".repeat(MAX_PATH))), "/");
    }
}
