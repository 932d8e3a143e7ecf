//! JSON from outside: the only place where foreign text becomes a value.
//!
//! JSON allows more than a value can hold. An unpaired surrogate, which JavaScript writes for a character cut in
//! half, becomes U+FFFD. A number that neither a 64-bit integer nor a double holds exactly becomes a text of its
//! digits, because rounding would change it. Of two fields with one name the last one is used, as in other languages.
//! Text that is not JSON is an error.

use std::borrow::Cow;

use super::Value;
use super::text::decode;

/// Default limit of values in one text.
pub const MAX_VALUES: usize = 1_000_000;
/// Values allowed in a text of any length; beyond them, a minimum of bytes per value is required. Records have about
/// ten bytes per value; texts of only brackets have two, and a tree in memory fifty times as large.
const FREE_VALUES: usize = 100_000;
const BYTES_A_VALUE: usize = 6;

/// Why a text is rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// It is not JSON.
    #[error("{0}")]
    Syntax(String),
    /// It has too many values.
    #[error("it has more than {most} values, more than a text of its length may have")]
    TooMany {
        /// The limit.
        most: usize,
    },
}

/// Parses `bytes`, in UTF-8 or in `charset`; see [`decode`].
pub fn read_json(bytes: &[u8], charset: Option<&str>) -> Result<Value, JsonError> {
    read_json_within(bytes, charset, MAX_VALUES)
}

/// The same with at most `most` values, including names of fields, and fewer in a short text: see [`MAX_VALUES`].
pub fn read_json_within(bytes: &[u8], charset: Option<&str>, most: usize) -> Result<Value, JsonError> {
    let text = decode(bytes, charset);
    let most = most.min(FREE_VALUES + text.len() / BYTES_A_VALUE);
    let text = Mended::rewrite(&text, most)?;
    serde_json::from_str(&text).map_err(|error| JsonError::Syntax(error.to_string()))
}

/// Parses `text`.
pub fn read_json_text(text: &str) -> Result<Value, JsonError> {
    read_json(text.as_bytes(), None)
}

/// Rewrites a text into equivalent JSON that a value can hold.
struct Mended<'a> {
    text: &'a str,
    /// The rewritten text so far.
    mended: String,
    /// `text` is copied up to here.
    copied: usize,
    values: usize,
    most: usize,
}

impl<'a> Mended<'a> {
    fn rewrite(text: &'a str, most: usize) -> Result<Cow<'a, str>, JsonError> {
        let mut mended = Self { text, mended: String::new(), copied: 0, values: 0, most };
        mended.walk()?;
        if mended.copied == 0 {
            return Ok(Cow::Borrowed(text));
        }
        mended.mended.push_str(&text[mended.copied..]);
        Ok(Cow::Owned(mended.mended))
    }

    fn walk(&mut self) -> Result<(), JsonError> {
        let bytes = self.text.as_bytes();
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            at = match byte {
                b'"' => self.string(at),
                b'-' | b'0'..=b'9' => self.number(at),
                b'[' | b'{' => at + 1,
                b'a'..=b'z' => run(bytes, at, u8::is_ascii_alphabetic),
                _ => {
                    at += 1;
                    continue;
                }
            };
            self.values += 1;
            if self.values > self.most {
                return Err(JsonError::TooMany { most: self.most });
            }
        }
        Ok(())
    }

    /// The end of the string that begins at `start`.
    fn string(&mut self, start: usize) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = start + 1;
        loop {
            match bytes.get(at) {
                None => return at,
                Some(b'"') => return at + 1,
                Some(b'\\') => match unit(bytes, at) {
                    Some(0xd800..=0xdbff) if matches!(unit(bytes, at + 6), Some(0xdc00..=0xdfff)) => at += 12,
                    Some(0xd800..=0xdfff) => {
                        self.replace(at, at + 6, "\\ufffd");
                        at += 6;
                    }
                    Some(_) => at += 6,
                    None => at += 2,
                },
                Some(_) => at += 1,
            }
        }
    }

    /// The end of the number that begins at `start`.
    fn number(&mut self, start: usize) -> usize {
        let bytes = self.text.as_bytes();
        let end = run(bytes, start, |byte| byte.is_ascii_digit() || b"+-.eE".contains(byte));
        let number = &self.text[start..end];
        if is_number(number) && !is_exact(number) {
            self.replace(start, end, &format!("\"{number}\""));
        }
        end
    }

    fn replace(&mut self, from: usize, to: usize, by: &str) {
        self.mended.push_str(&self.text[self.copied..from]);
        self.mended.push_str(by);
        self.copied = to;
    }
}

/// The end of the bytes from `at` that satisfy `fits`.
fn run(bytes: &[u8], at: usize, fits: impl Fn(&u8) -> bool) -> usize {
    at + bytes[at..].iter().take_while(|byte| fits(byte)).count()
}

/// The code unit of an escape `\uXXXX` at `at`.
fn unit(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)? as u16))
}

/// Whether `text` is a JSON number (RFC 8259, 6).
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let whole = whole.strip_prefix('-').unwrap_or(whole);
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

/// Whether a value holds the number `text` exactly: written as JSON, it has the same digits.
fn is_exact(text: &str) -> bool {
    if !text.contains(['.', 'e', 'E']) {
        return text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok();
    }
    let double = text.parse::<f64>().unwrap_or(f64::NAN);
    serde_json::Number::from_f64(double).is_some_and(|number| decimal(text) == decimal(&number.to_string()))
}

/// A number's sign, significant digits, and the exponent of the first digit.
fn decimal(text: &str) -> (bool, String, i64) {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let negative = mantissa.starts_with('-');
    let mantissa = mantissa.trim_start_matches('-');
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return (negative, String::new(), 0);
    }
    // An exponent beyond `i64` is beyond a double's as well.
    let exponent: i64 = exponent.parse().unwrap_or(i64::from(i32::MAX));
    let first = whole.len() as i64 - (digits.len() - significant.len()) as i64;
    (negative, significant.trim_end_matches('0').to_owned(), exponent.saturating_add(first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(text: &str) -> Value {
        read_json_text(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn halves_of_surrogate_pairs_become_replacement_characters() {
        for (text, expected) in [
            (r#""see you \ud83d""#, json!("see you \u{fffd}")),
            (r#""\uDC00 alone""#, json!("\u{fffd} alone")),
            (r#""\ude00\ud83d""#, json!("\u{fffd}\u{fffd}")),
            (r#""\ud83d\ud83d\ude00""#, json!("\u{fffd}😀")),
            (r#""\ud83d\n\uD83D\uDE00\ud83dx""#, json!("\u{fffd}\n😀\u{fffd}x")),
            (r#"{"\ud83d": {"a": ["\ud83d"]}}"#, json!({ "\u{fffd}": { "a": ["\u{fffd}"] } })),
            (r#""\\ud83d \\\ud83d \"\ud83d""#, json!("\\ud83d \\\u{fffd} \"\u{fffd}")),
            (r#""\ud83d"#.trim_end(), json!(null)),
        ] {
            match expected {
                Value::Null => assert!(read_json_text(text).is_err(), "{text} does not end"),
                expected => assert_eq!(read(text), expected, "{text}"),
            }
        }
    }

    #[test]
    fn no_number_is_rounded() {
        for (text, expected) in [
            ("9223372036854775807", json!(i64::MAX)),
            ("18446744073709551615", json!(u64::MAX)),
            ("18446744073709551616", json!("18446744073709551616")),
            ("-9223372036854775809", json!("-9223372036854775809")),
            ("12345678901234567890123", json!("12345678901234567890123")),
            ("9007199254740993", json!(9007199254740993_i64)),
            ("9007199254740993.0", json!("9007199254740993.0")),
            ("1e400", json!("1e400")),
            ("-1E+400", json!("-1E+400")),
            ("1e-400", json!("1e-400")),
            ("0.1", json!(0.1)),
            ("12.50", json!(12.5)),
            ("1E2", json!(100.0)),
            ("0.0e99999999999999999999", json!(0.0)),
            ("0.30000000000000004", json!(0.30000000000000004)),
            ("3.141592653589793238462643", json!("3.141592653589793238462643")),
            ("0.1234567890123456789", json!("0.1234567890123456789")),
            ("-0.000120", json!(-0.00012)),
            ("1.7976931348623157e308", json!(f64::MAX)),
        ] {
            assert_eq!(read(text), expected, "{text}");
            assert_eq!(read(&format!("[{text},{{\"n\":{text}}}]")), json!([expected, { "n": expected }]));
        }
        assert_eq!(read("\"1e400\""), json!("1e400"), "a text is a text");
    }

    #[test]
    fn marks_and_charsets() {
        let expected = json!({ "a": "ü" });
        let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        for (bytes, charset) in [
            ("\u{feff}{\"a\":\"ü\"}".as_bytes().to_vec(), None),
            (utf_16("\u{feff}{\"a\":\"ü\"}"), None),
            (utf_16("{\"a\":\"ü\"}"), Some("utf-16le")),
            (b"{\"a\":\"\xfc\"}".to_vec(), Some("latin1")),
        ] {
            assert_eq!(read_json(&bytes, charset).unwrap(), expected, "{bytes:?}");
        }
        assert_eq!(read_json(b"{\"a\":\"\xfc\"}", None).unwrap(), json!({ "a": "\u{fffd}" }));
        assert_eq!(read(r#"{"a":"x\u0000y"}"#), json!({ "a": "x\0y" }));
        assert_eq!(read(r#"{"a":1,"b":2,"a":3}"#), json!({ "a": 3, "b": 2 }));
    }

    #[test]
    fn invalid_json_stays_invalid() {
        for text in
            ["", "NaN", "[Infinity]", "{\"a\":-Infinity}", "01", "[1,]", "{a:1}", "1 2", "+1", ".5", "\"\n\""]
        {
            assert!(matches!(read_json_text(text), Err(JsonError::Syntax(_))), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert!(read_json_text(&deep).is_err());
    }

    #[test]
    fn values_are_counted() {
        let many = format!("[{}[]]", "[],".repeat(1000));
        assert_eq!(read_json_within(many.as_bytes(), None, 1000), Err(JsonError::TooMany { most: 1000 }));
        assert!(read_json_within(many.as_bytes(), None, 1002).is_ok());
        for (part, times, fits) in
            [("[],", 90_000, true), ("[],", 300_000, false), ("{\"a\":{}},", 150_000, false)]
        {
            let many = format!("[{}[]]", part.repeat(times));
            assert_eq!(read_json_text(&many).is_ok(), fits, "{times} times {part}");
        }
        let record = "{\"id\":\"c123\",\"email\":\"ada@example.com\",\"n\":1},";
        assert!(read_json_text(&format!("[{}{{}}]", record.repeat(100_000))).is_ok(), "records are fine");
        let text = format!("\"{}\"", "[],{}1 ".repeat(1000));
        assert!(read_json_within(text.as_bytes(), None, 1).is_ok(), "a text is one value");
    }

    /// A double may have two equally short representations; JSON is written with one of them.
    #[test]
    fn a_number_is_held_as_it_is_written() {
        assert_eq!(read("974016090510505.2").to_string(), "974016090510505.2");
        assert_eq!(read("974016090510505.3"), json!("974016090510505.3"), "it would go on as .2");
    }

    proptest! {
        #[test]
        fn what_a_value_holds_is_read_as_by_anyone(number in any::<f64>(), whole in any::<i64>(), text in ".*") {
            let value = json!({ "n": number, "w": whole, "t": text });
            prop_assert_eq!(read(&value.to_string()), value);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64), text in r#"[\[\]{}",:0-9eE.+\\ud8cabx-]{0,40}"#) {
            let _ = read_json(&bytes, None);
            if let (Ok(own), Ok(other)) = (read_json_text(&text), serde_json::from_str::<Value>(&text)) {
                prop_assert_eq!(own.is_array(), other.is_array());
            } else {
                prop_assert!(serde_json::from_str::<Value>(&text).is_err() || read_json_text(&text).is_ok());
            }
        }
    }
}
