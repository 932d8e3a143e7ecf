//! Hashes and encodings.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minijinja::value::{Value as Datum, ValueKind};
use minijinja::{Error, State};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

use super::input;
use crate::template::convert::to_json_charged;
use crate::template::error::refusal;
use crate::template::filter_type::{Gives, Takes};
use crate::template::spec::{Spec, own};

pub(super) const SPECS: [Spec; 4] = [
    own!(
        add_filter(hash),
        "hash",
        "The SHA-256 of the text (of the JSON of a list or mapping) in hexadecimal: a stable key.",
        ("{{ 'hob' | hash | truncate(8, '') }}", r#""2bb54c83""#)
    )
    .typed(Takes::Something, Gives::Text),
    own!(
        add_filter(base64),
        "base64",
        "The text in Base64.",
        ("{{ 'user:pass' | base64 }}", r#""dXNlcjpwYXNz""#)
    )
    .typed(Takes::Text, Gives::Text),
    own!(
        add_filter(base64_decode),
        "base64_decode",
        "The text that a Base64 text stands for.",
        ("{{ 'aG9i' | base64_decode }}", r#""hob""#)
    )
    .typed(Takes::Text, Gives::Text),
    own!(
        add_filter(urlencode),
        "urlencode",
        "The text for use in an address; a mapping becomes `name=value&…`.",
        ("{{ {'q': 'a b', 'n': 1} | urlencode }}", r#""q=a%20b&n=1""#)
    )
    .typed(Takes::TextOrMapping, Gives::Text),
];

/// All characters except the unreserved ones of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

fn hash(state: &State<'_, '_>, value: &Datum) -> Result<String, Error> {
    let text = match value.kind() {
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => {
            to_json_charged(state, value)?.to_string().into()
        }
        _ => input::text(value)?,
    };
    state.consume_fuel(20 + (text.len() / 8) as u64)?;
    Ok(hex::encode(Sha256::digest(text.as_bytes())))
}

fn base64(value: &Datum) -> Result<String, Error> {
    Ok(STANDARD.encode(input::text(value)?.as_bytes()))
}

fn base64_decode(value: &Datum) -> Result<String, Error> {
    let text = input::text(value)?;
    let decoded = STANDARD.decode(text.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded
        .ok_or_else(|| refusal(format!("finds no text in {:?}; it is not Base64", input::shortened(&text))))
}

fn urlencode(state: &State<'_, '_>, value: &Datum) -> Result<String, Error> {
    if value.kind() != ValueKind::Map {
        return Ok(encoded(&input::text(value)?));
    }
    let mut parts = Vec::new();
    for key in value.try_iter()?.checked() {
        let key = key?;
        state.consume_fuel(4)?;
        let field = value.get_item(&key)?;
        if !field.is_none() {
            parts.push(format!("{}={}", encoded(&input::text(&key)?), encoded(&input::text(&field)?)));
        }
    }
    Ok(parts.join("&"))
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use crate::template::testing::{failure, value};
    use serde_json::json;

    #[test]
    fn known_digests() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(value("{{ '' | hash }}", json!({})), json!(empty));
        let same = value("{{ event.a | hash }}{{ event.b | hash }}", json!({ "a": [1], "b": "[1]" }));
        let text = same.as_str().unwrap();
        assert_eq!(text[..64], text[64..], "a list is hashed as its JSON");
    }

    #[test]
    fn addresses_and_base64() {
        assert_eq!(value("{{ '+44 (0)' | urlencode }}", json!({})), json!("%2B44%20%280%29"));
        assert!(failure("{{ '!!' | base64_decode }}", json!({})).message.contains("not Base64"));
    }
}
