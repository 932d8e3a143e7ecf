//! Redaction: values that must never be shown, and texts with such values taken out.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};

/// What stands in the place of a secret.
pub const REDACTED: &str = "***";

/// A secret text. `Debug` and `Display` show asterisks only.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Hides `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text itself, for the one place that sends it.
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

/// All secrets of a workspace, to take them out of anything that is logged, shown or given away. Never out of data
/// on its way: what is sent and what is kept for later steps is true.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    /// Each in every writing that it may have.
    secrets: Vec<Secret>,
}

/// Texts shorter than this are too common to be taken for a secret wherever they occur.
const SHORTEST: usize = 6;

impl Redactor {
    /// Knows these secrets; very short ones are ignored.
    pub fn new(secrets: impl IntoIterator<Item = Secret>) -> Self {
        let mut redactor = Self::default();
        redactor.add(secrets);
        redactor
    }

    /// Knows these, too.
    pub fn add(&mut self, secrets: impl IntoIterator<Item = Secret>) {
        let long = secrets.into_iter().filter(|secret| secret.expose().len() >= SHORTEST);
        self.secrets.extend(long.flat_map(|secret| writings(secret.expose())));
        // A secret that contains another one goes first.
        self.secrets.sort_by(|one, other| {
            let length = |secret: &Secret| std::cmp::Reverse(secret.expose().len());
            (length(one), one.expose()).cmp(&(length(other), other.expose()))
        });
        self.secrets.dedup_by(|one, other| one.expose() == other.expose());
    }

    /// `text` without secrets.
    pub fn text(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| {
            if text.contains(secret.expose()) { text.replace(secret.expose(), REDACTED) } else { text }
        })
    }

    /// `value` without secrets in any of its texts, keys included.
    pub fn value(&self, value: &serde_json::Value) -> serde_json::Value {
        use serde_json::Value;
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(map) => {
                map.iter().map(|(key, value)| (self.text(key), self.value(value))).collect()
            }
            Value::Number(number) if self.text(&number.to_string()) == REDACTED => {
                Value::String(REDACTED.to_owned())
            }
            other => other.clone(),
        }
    }
}

/// How a secret may stand in a text: as it is, in an address or a form, within JSON, in base64.
fn writings(secret: &str) -> Vec<Secret> {
    let in_address = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    // What encoders leave as it is differs.
    let unreserved = utf8_percent_encode(secret, UNRESERVED).to_string();
    let in_form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let in_json = serde_json::to_string(secret).unwrap_or_default();
    let in_json = in_json.trim_start_matches('"').strip_suffix('"').unwrap_or_default().to_owned();
    let twice = serde_json::to_string(&in_json).unwrap_or_default();
    let twice = twice.trim_start_matches('"').strip_suffix('"').unwrap_or_default().to_owned();
    let lower = in_address.to_lowercase();
    let lower = if lower.contains('%') && !secret.bytes().any(|byte| byte.is_ascii_uppercase()) {
        lower
    } else {
        String::new()
    };
    let in_base64 = [STANDARD_NO_PAD.encode(secret), URL_SAFE_NO_PAD.encode(secret)];
    let all = [secret.to_owned(), in_address, unreserved, in_form, in_json, twice, lower]
        .into_iter()
        .chain(in_base64);
    all.filter(|text| text.len() >= SHORTEST).map(Secret::new).collect()
}

/// Letters, digits and `-._~` stand in an address as they are (RFC 3986, 2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

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
    fn in_whatever_writing() {
        let redactor = Redactor::new([Secret::new("p&ss w\"rd/ü"), Secret::new("123456789")]);
        for text in [
            "p&ss w\"rd/ü",
            "p%26ss%20w%22rd%2F%C3%BC",
            "p%26ss+w%22rd%2F%C3%BC",
            "p%26ss%20w%22rd%2f%c3%bc",
            r#"p&ss w\"rd/ü"#,
            r#"p&ss w\\\"rd/ü"#,
            "cCZzcyB3InJkL8O8",
            "123456789",
        ] {
            assert_eq!(redactor.text(&format!("<{text}>")), "<***>", "{text}");
        }
        assert_eq!(redactor.value(&json!([123456789, 1234567890])), json!(["***", 1234567890]));
    }
}
