//! Redaction: secrets, and removing them from texts.

mod address;
mod credential;
mod writing;

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use secrecy::{ExposeSecret, SecretString};

pub use address::shown_address;
pub use credential::credential_in;

/// The replacement of a secret.
pub const REDACTED: &str = "***";

/// A secret text. `Debug` and `Display` show asterisks only.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text, for sending it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

/// All secrets of a workspace, for redacting what is logged, shown or exported; never data in transit or stored for
/// later steps. Clones share secrets, so that a token fetched later is redacted everywhere.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    known: Arc<RwLock<Known>>,
}

#[derive(Default)]
struct Known {
    patterns: Vec<Pattern>,
    /// Their texts.
    texts: HashSet<String>,
    /// The latest short-lived ones, such as tokens.
    short_lived: VecDeque<Pattern>,
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

/// What to search for.
#[derive(Clone, PartialEq, Eq)]
struct Pattern {
    text: String,
    /// Its base64 encodings, in part.
    base64: Vec<String>,
}

/// Shorter texts are too common to be redacted wherever they occur.
pub const MIN_LENGTH: usize = 6;

/// Number of fetched tokens to remember; earlier ones have expired.
const MAX_SHORT_LIVED: usize = 200;

impl Redactor {
    /// A redactor of these secrets; very short ones are ignored.
    pub fn new(secrets: impl IntoIterator<Item = Secret>) -> Self {
        let redactor = Self::default();
        redactor.add(secrets);
        redactor
    }

    /// Adds secrets.
    pub fn add(&self, secrets: impl IntoIterator<Item = Secret>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for pattern in secrets.into_iter().flat_map(|secret| patterns(secret.expose())) {
            if known.texts.insert(pattern.text.clone()) {
                known.patterns.push(pattern);
            }
        }
    }

    /// Adds short-lived secrets, such as tokens.
    pub fn add_short_lived(&self, secrets: impl IntoIterator<Item = Secret>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for pattern in secrets.into_iter().flat_map(|secret| patterns(secret.expose())) {
            if !known.short_lived.contains(&pattern) && !known.texts.contains(&pattern.text) {
                known.short_lived.push_back(pattern);
            }
        }
        let surplus = known.short_lived.len().saturating_sub(MAX_SHORT_LIVED);
        known.short_lived.drain(..surplus);
    }

    /// Adds the current secrets of `other`.
    pub fn include(&self, other: &Self) {
        if Arc::ptr_eq(&self.known, &other.known) {
            return;
        }
        let theirs = other.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for pattern in theirs.patterns.iter().chain(&theirs.short_lived) {
            if known.texts.insert(pattern.text.clone()) {
                known.patterns.push(pattern.clone());
            }
        }
    }

    /// `text` without secrets, in any encoding.
    pub fn text(&self, text: &str) -> String {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<(usize, usize)> = Vec::new();
        let escapes = escapes(text);
        let patterns = known.patterns.iter().chain(&known.short_lived);
        patterns.for_each(|pattern| pattern.find(text, &escapes, &mut found));
        if found.is_empty() {
            return text.to_owned();
        }
        found.sort_unstable();
        let mut shown = String::with_capacity(text.len());
        let mut at = 0;
        for (start, end) in found {
            if start >= at {
                shown.push_str(&text[at..start]);
                shown.push_str(REDACTED);
            }
            at = at.max(end);
        }
        shown.push_str(&text[at..]);
        shown
    }

    /// The short-lived secrets contained in `values`.
    pub fn tokens_in<'a>(&self, values: impl IntoIterator<Item = &'a serde_json::Value>) -> Vec<Secret> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if known.short_lived.is_empty() {
            return Vec::new();
        }
        let values: Vec<_> = values.into_iter().collect();
        let stands = |pattern: &&Pattern| values.iter().any(|value| pattern.stands_in(value));
        known.short_lived.iter().filter(stands).map(|pattern| Secret::new(pattern.text.as_str())).collect()
    }

    /// `value` without secrets in texts, keys and numbers.
    pub fn value(&self, value: &serde_json::Value) -> serde_json::Value {
        use serde_json::Value;
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(map) => {
                map.iter().map(|(key, value)| (self.text(key), self.value(value))).collect()
            }
            Value::Number(number) if self.is_secret(number) => Value::String(REDACTED.to_owned()),
            other => other.clone(),
        }
    }

    fn is_secret(&self, number: &serde_json::Number) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.patterns.iter().chain(&known.short_lived).any(|pattern| pattern.is_number(number))
    }
}

/// Where encoded forms may begin.
fn escapes(text: &str) -> Vec<usize> {
    let begins = |(_, byte): &(usize, u8)| writing::begins_a_writing(*byte);
    text.bytes().enumerate().filter(begins).map(|(at, _)| at).collect()
}

/// The patterns for `secret`; none if it is too short.
fn patterns(secret: &str) -> Option<Pattern> {
    (secret.len() >= MIN_LENGTH).then(|| Pattern {
        text: secret.to_owned(),
        base64: writing::in_base64(secret).into_iter().filter(|part| part.len() >= MIN_LENGTH).collect(),
    })
}

impl Pattern {
    fn stands_in(&self, value: &serde_json::Value) -> bool {
        use serde_json::Value;
        let within = |text: &str| {
            let mut found = Vec::new();
            self.find(text, &escapes(text), &mut found);
            !found.is_empty()
        };
        match value {
            Value::String(text) => within(text),
            Value::Array(items) => items.iter().any(|item| self.stands_in(item)),
            Value::Object(map) => map.iter().any(|(key, value)| within(key) || self.stands_in(value)),
            Value::Number(number) => self.is_number(number),
            Value::Null | Value::Bool(_) => false,
        }
    }

    fn is_number(&self, number: &serde_json::Number) -> bool {
        let digits = self.text.trim();
        number.to_string() == digits
            || (digits.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte))
                && digits.parse::<f64>().is_ok_and(|meant| number.as_f64() == Some(meant)))
    }

    /// Its places in `text`.
    fn find(&self, text: &str, escapes: &[usize], found: &mut Vec<(usize, usize)>) {
        each_place(text, escapes, &self.text, |start, end| found.push((start, end)));
        for part in &self.base64 {
            each_place(text, escapes, part, |start, end| {
                found.push(writing::around_base64(text, start, end))
            });
        }
    }
}

/// Calls `found` with each place of `wanted` in `text`, literal or in an encoding that contains one of `escapes`.
fn each_place(text: &str, escapes: &[usize], wanted: &str, mut found: impl FnMut(usize, usize)) {
    text.match_indices(wanted).for_each(|(at, _)| found(at, at + wanted.len()));
    let (Some(first), false) = (wanted.as_bytes().first(), escapes.is_empty()) else { return };
    let mut from = 0;
    for escape in escapes {
        // Text before the first escape is literal.
        for at in from.max(escape.saturating_sub(wanted.len()))..=*escape {
            let may_begin = at == *escape || text.as_bytes()[at] == *first;
            if let Some(end) = may_begin.then(|| writing::stands_at(text, at, wanted)).flatten() {
                found(at, end);
            }
        }
        from = escape + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_are_never_shown() {
        let secret = Secret::new("pit-1234567");
        assert_eq!(format!("{secret:?} {secret}"), "*** ***");
        let redactor = Redactor::new([secret, Secret::new("pit-1234567-long"), Secret::new("a")]);
        let shown =
            redactor.value(&json!({ "url": "https://x/?t=pit-1234567-long", "a": ["Bearer pit-1234567"] }));
        assert_eq!(shown, json!({ "url": "https://x/?t=***", "a": ["Bearer ***"] }));
    }

    #[test]
    fn in_any_encoding() {
        let redactor = Redactor::new([Secret::new("p&ss w\"rd/ü\\😀'"), Secret::new("123456789")]);
        for text in [
            "p&ss w\"rd/ü\\😀'",
            "p%26ss%20w%22rd%2F%C3%BC%5C%F0%9F%98%80'",
            "p%26ss+w%22rd%2F%C3%BC%5c%f0%9f%98%80%27",
            "p%26ss%20w%22rd%2f%C3%bc%5C%F0%9F%98%80%27",
            "p%2526ss%2520w%2522rd%252F%25C3%25BC%255C%25F0%259F%2598%2580%2527",
            r#"p&ss w\"rd/ü\\😀'"#,
            r#"p&ss w\\\"rd\\/ü\\\\😀'"#,
            r#"p\u0026ss w\u0022rd\/\u00fc\\\ud83d\ude00\u0027"#,
            r#"\u0070&ss w\u0022rd\/\u00fc\u005c\ud83d\ude00\u0027"#,
            r#"p&ss w\"rd/\u{fc}\\\u{1f600}\'"#,
            "p&amp;ss w&quot;rd/ü\\😀&#39;",
            "p&amp;amp;ss w&#34;rd&#x2F;&#252;\\&#128512;&#x27;",
            "p&ss w\"rd/ü\\😀''",
            "123456789",
            "%31%32%33456789",
        ] {
            assert_eq!(redactor.text(&format!("<{text}>")), "<***>", "{text}");
            assert_eq!(redactor.text(text), "***", "{text}");
        }
        assert_eq!(
            redactor.value(&json!([123456789, 1234567890, 123456789.0, { "123456789": 1 }])),
            json!(["***", 1234567890, "***", { "***": 1 }])
        );
        let leading = Redactor::new([Secret::new("0123456789")]);
        assert_eq!(leading.value(&json!(123456789)), json!("***"));
    }

    #[test]
    fn base64_of_any_surrounding_text() {
        use base64::Engine;
        use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
        let redactor = Redactor::new([Secret::new("hunter-22?>ü")]);
        for user in ["", "a", "ab", "abc", "someone@example.com"] {
            for after in ["", ":", ":x", "!!!"] {
                let whole = format!("{user}:hunter-22?>ü{after}");
                for text in [STANDARD.encode(&whole), URL_SAFE_NO_PAD.encode(&whole)] {
                    assert_eq!(
                        redactor.text(&format!("Basic {text}, and so on")),
                        "Basic ***, and so on",
                        "{whole}"
                    );
                    let encoded = text.replace('+', "%2B").replace('/', "%2F");
                    assert!(redactor.text(&encoded).contains("***"), "{encoded}");
                }
            }
        }
    }

    #[test]
    fn other_text_is_unchanged() {
        let redactor = Redactor::new([Secret::new("s3cr3t-key"), Secret::new("short")]);
        for text in [
            "",
            "%",
            "\\",
            "&",
            "%zz%",
            "s3cr3t-ke",
            "\\u",
            "\\u12",
            "&#;",
            "&amp",
            "ü%C3",
            "short",
            "s3cr3t-ke\\u{79999999999}",
        ] {
            assert_eq!(redactor.text(text), text);
        }
    }

    #[test]
    fn clones_share_what_they_know() {
        let redactor = Redactor::default();
        let clone = redactor.clone();
        redactor.add_short_lived([Secret::new("token-1234")]);
        assert_eq!(clone.text("token-1234"), "***");
        let found = |value| {
            let values = [json!(1), value];
            clone.tokens_in(&values).iter().map(|token| token.expose().to_owned()).collect::<Vec<_>>()
        };
        for value in [json!({ "a": ["Bearer token-1234"] }), json!({ "token%2D1234": 1 })] {
            assert_eq!(found(value), ["token-1234"]);
        }
        assert_eq!(found(json!({ "a": ["token-123"] })), [""; 0]);
        (0..MAX_SHORT_LIVED).for_each(|n| redactor.add_short_lived([Secret::new(format!("other-{n:06}"))]));
        assert_eq!(clone.text("token-1234"), "token-1234", "the latest are known");
        let other = Redactor::new([Secret::new("another-1")]);
        clone.include(&other);
        assert_eq!(redactor.text("another-1"), "***");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[%\\\\&+'uxa0-9;#{}ü😀 ]{0,40}", secret in "[%\\\\&+' a0-9ü😀]{6,9}") {
            let redactor = Redactor::new([Secret::new(secret.clone())]);
            redactor.text(&text);
            let whole = format!("{text}{secret}{text}");
            proptest::prop_assert!(!redactor.text(&whole).contains(&secret) || secret.contains("***"));
        }
    }
}
