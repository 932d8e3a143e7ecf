//! Names of HTTP headers.

/// Whether `text` is a valid header name: a token (RFC 9110, 5.6.2).
pub fn is_header_name(text: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !text.is_empty() && text.chars().all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tokens_are_names() {
        for name in ["X-Hook-Secret", "x", "a.b_c~1"] {
            assert!(is_header_name(name), "{name}");
        }
        for text in
            ["", " ", "X Key", "X-Key:", "X-Schlüssel", "X\n", "${NAME}", "{{ env.NAME }}", "a/b", "\u{200b}"]
        {
            assert!(!is_header_name(text), "{text:?}");
        }
    }
}
