//! Reads a request's body, in any supported form, as the payload of an event.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::compression;
use super::form;
use super::unreadable::Unreadable;
use crate::value::{JsonError, charset, parameter, read_json_within};

/// Maximum number of values in a body, which protects the memory.
const MAX_VALUES: usize = 100_000;

/// A request to an address below `/webhooks`, as received.
#[derive(Clone, Copy)]
pub struct Delivery<'a> {
    /// Path below `/webhooks/`.
    pub path: &'a str,
    /// Reads a header by name, in any letter case.
    pub header: &'a (dyn Fn(&str) -> Option<&'a [u8]> + 'a),
    /// The body as it was sent.
    pub body: &'a [u8],
    /// Maximum size of the decompressed body, in bytes.
    pub largest: usize,
    /// Time of receipt.
    pub received: DateTime<Utc>,
}

impl<'a> Delivery<'a> {
    /// The value of a header, if it is text and not blank.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        let value = std::str::from_utf8((self.header)(name)?).ok()?.trim();
        (!value.is_empty()).then_some(value)
    }

    /// The payload. An empty body gives an empty object.
    pub fn payload(&self) -> Result<Value, Unreadable> {
        let encoding = self.text("content-encoding").unwrap_or_default();
        let body = compression::unpack(self.body, encoding, self.largest)?;
        read(&body, self.text("content-type").unwrap_or_default())
    }

    /// The payload, which must be a JSON object.
    pub(super) fn object(&self) -> Result<Value, Unreadable> {
        let encoding = self.text("content-encoding").unwrap_or_default();
        let body: Cow<'_, [u8]> = compression::unpack(self.body, encoding, self.largest)?;
        let refuse =
            |reason: &str| Unreadable::NotJson { wanted: "a JSON object", reason: reason.to_owned() };
        match json(&body, self.text("content-type").unwrap_or_default()) {
            Ok(payload @ Value::Object(_)) => Ok(payload),
            Ok(Value::Array(_)) => Err(refuse("it is a list")),
            Ok(_) => Err(refuse("it is a single value")),
            Err(error) => Err(refuse(&error.to_string())),
        }
    }
}

/// Reads a body of this media type. Only forms are recognised by their type, because many senders declare JSON as text
/// or declare no type.
fn read(body: &[u8], media_type: &str) -> Result<Value, Unreadable> {
    let bare = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
    if bare.is_empty() {
        return Ok(json!({}));
    }
    let kind = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        // `curl -d` declares any body as a form. In a real form these characters would be escaped.
        "application/x-www-form-urlencoded" if !bare.starts_with(b"{") && !bare.starts_with(b"[") => {
            form::urlencoded(bare, charset(media_type))
        }
        "multipart/form-data" => form::multipart(body, parameter(media_type, "boundary").unwrap_or_default()),
        _ => json(body, media_type).map_err(|error| refusal(&error, &kind, bare)),
    }
}

fn json(body: &[u8], media_type: &str) -> Result<Value, JsonError> {
    read_json_within(body, charset(media_type), MAX_VALUES)
}

fn refusal(error: &JsonError, kind: &str, body: &[u8]) -> Unreadable {
    const UNTOLD: [&str; 4] =
        ["", "text/plain", "application/octet-stream", "application/x-www-form-urlencoded"];
    if !kind.contains("json") && !UNTOLD.contains(&kind) {
        return Unreadable::UnknownType(kind.chars().take(100).collect());
    }
    let like_a_form = !kind.contains("json") && body.contains(&b'=') && !body.contains(&b'"');
    let help =
        if like_a_form { "; a form says so: `Content-Type: application/x-www-form-urlencoded`" } else { "" };
    Unreadable::NotJson { wanted: "JSON", reason: format!("{error}{help}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(media_type: &str, body: &[u8]) -> Result<Value, Unreadable> {
        read(body, media_type)
    }

    #[test]
    fn json_under_any_name_and_nothing_at_all() {
        for media_type in [
            "application/json",
            "application/json; charset=utf-8",
            "application/vnd.api+json",
            "text/plain;charset=UTF-8",
            "",
            "application/x-www-form-urlencoded",
        ] {
            for (body, value) in [
                (&br#"{"a": "\ud83d"}"#[..], json!({ "a": "\u{fffd}" })),
                (b"\xef\xbb\xbf [1, 2]\n", json!([1, 2])),
                (b"", json!({})),
                (b"\xef\xbb\xbf \r\n", json!({})),
            ] {
                assert_eq!(payload(media_type, body), Ok(value), "{media_type} {body:?}");
            }
        }
        assert_eq!(payload("application/json", b"7"), Ok(json!(7)));
        assert_eq!(payload("application/json; charset=latin1", b"\"\xfc\""), Ok(json!("ü")));
    }

    #[test]
    fn other_bodies_are_rejected_with_a_remedy() {
        let words = |media_type: &str, body: &[u8]| payload(media_type, body).unwrap_err().to_string();
        assert!(words("application/xml; charset=x", b"<a/>").contains("`application/xml`; send JSON"));
        assert!(words("", b"a=1&b=2").contains("a form says so"));
        assert!(words("application/json", b"{\"a\":").contains("EOF"));
        assert!(words("application/x-www-form-urlencoded", b"{\"a\":").contains("EOF"));
        let many = format!("[{}[]]", "[],".repeat(MAX_VALUES));
        assert!(
            words("application/json", many.as_bytes())
                .contains("values, more than a text of its length may have")
        );
        let many = format!("[{}0]", "123456789,".repeat(MAX_VALUES));
        assert!(words("application/json", many.as_bytes()).contains("more than 100000 values"));
    }
}
