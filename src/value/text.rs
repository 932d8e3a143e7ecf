//! Decoding of text from outside.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Decodes `bytes` by their byte order mark, otherwise by `charset`, otherwise as UTF-8. The mark is removed, and
/// invalid bytes become U+FFFD.
///
/// UTF-8 that is declared as Latin-1 or ASCII, as by some frameworks, is decoded as UTF-8.
pub fn decode<'a>(bytes: &'a [u8], charset: Option<&str>) -> Cow<'a, str> {
    let encoding = without_mark(bytes).unwrap_or_else(|| named(bytes, charset));
    encoding.decode(bytes).0
}

/// Decodes part of a larger text, such as a form field, by `charset`, otherwise as UTF-8. A byte order mark has no
/// meaning there.
pub fn decode_part<'a>(bytes: &'a [u8], charset: Option<&str>) -> Cow<'a, str> {
    named(bytes, charset).decode_without_bom_handling(bytes).0
}

fn named(bytes: &[u8], charset: Option<&str>) -> &'static Encoding {
    let named = charset.and_then(|name| Encoding::for_label(name.trim().as_bytes())).unwrap_or(UTF_8);
    if named == WINDOWS_1252 && std::str::from_utf8(bytes).is_ok() { UTF_8 } else { named }
}

/// UTF-16 without a byte order mark, recognised by the zero byte of its first character (RFC 4627, 3).
fn without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    match bytes {
        [0, second, ..] if *second != 0 => Some(UTF_16BE),
        [first, 0, ..] if *first != 0 => Some(UTF_16LE),
        _ => None,
    }
}

/// `text`, or its first `most` bytes and the total length.
pub fn beginning(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    format!("{}… ({} KiB in all)", &text[..text.floor_char_boundary(most)], text.len() >> 10)
}

/// The `charset` of a media type such as `text/plain; charset=utf-8`.
pub fn charset(media_type: &str) -> Option<&str> {
    parameter(media_type, "charset")
}

/// A parameter of a media type, unquoted.
pub fn parameter<'a>(media_type: &'a str, name: &str) -> Option<&'a str> {
    let pairs = media_type.split(';').skip(1).filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value);
    values.next().map(|value| value.trim().trim_matches('"')).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_go_before_names_and_names_before_utf_8() {
        for (bytes, charset, text) in [
            (&b"\xef\xbb\xbfa"[..], None, "a"),
            (b"\xff\xfea\0\xfc\0", None, "aü"),
            (b"\xfe\xff\0a\0\xfc", Some("utf-8"), "aü"),
            (b"a\0b\0", None, "ab"),
            (b"\0a\0b", Some("utf-16"), "ab"),
            (b"M\xfcller", Some("ISO-8859-1"), "Müller"),
            ("Müller".as_bytes(), Some("iso-8859-1"), "Müller"),
            (b"M\xfcller", None, "M\u{fffd}ller"),
            (b"\x82\xa0", Some("Shift_JIS"), "あ"),
            (b"a", Some("no-such"), "a"),
            (b"", Some("utf-16"), ""),
        ] {
            assert_eq!(decode(bytes, charset), text, "{bytes:?} {charset:?}");
        }
    }

    #[test]
    fn parameters_of_media_types() {
        assert_eq!(charset("application/json; Charset=\"UTF-16\"; x=y"), Some("UTF-16"));
        assert_eq!(charset("application/json;charset="), None);
        assert_eq!(parameter("multipart/form-data; boundary=ab", "boundary"), Some("ab"));
    }
}
