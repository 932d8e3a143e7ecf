//! The values by which people and records are found: those of the fields by which the catalog's operations find records, such
//! as `email` and `phone`.

use std::collections::BTreeSet;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::catalog::Catalog;
use crate::journal::{Error, IdentifierKey, Journal};

/// Digits of a phone number that count: without the country's code, which is often left out.
const PHONE_DIGITS: usize = 9;
/// The least digits of a phone number.
const LEAST_PHONE_DIGITS: usize = 7;
/// The longest value that identifies, in bytes.
const MAX_LENGTH: usize = 512;

/// The fields that identify.
#[derive(Debug, Clone)]
pub struct Identifiers {
    fields: BTreeSet<String>,
}

impl Identifiers {
    /// Those of a catalog.
    pub fn of(catalog: &Catalog) -> Self {
        let kinds = catalog.connectors().flat_map(|connector| connector.records.values());
        Self { fields: kinds.flat_map(|kind| kind.find.keys().map(|field| plain(field))).collect() }
    }

    /// Indexes up to `limit` events and writes each that are not indexed yet; returns whether there were any.
    pub async fn index_some(&self, journal: &dyn Journal, limit: usize) -> Result<bool, Error> {
        let found = journal.unindexed(limit).await?;
        if found.is_new {
            journal.index(&found.entries(|value| self.keys_in(value))).await?;
        }
        Ok(found.is_new)
    }

    /// The keys of the values in identifying fields, wherever they stand in `value`.
    pub fn keys_in(&self, value: &Value) -> Vec<IdentifierKey> {
        let mut keys = Vec::new();
        self.collect(value, &mut keys);
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    fn collect(&self, value: &Value, keys: &mut Vec<IdentifierKey>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    if self.identifies(name) {
                        let texts = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
                        keys.extend(texts.iter().filter_map(text).filter_map(|text| key_of(&text)));
                    }
                    self.collect(value, keys);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.collect(item, keys)),
            _ => {}
        }
    }

    /// Whether a field's name is, or ends with, the name of an identifying one: `contact_email`.
    fn identifies(&self, name: &str) -> bool {
        let name = plain(name);
        self.fields.iter().any(|field| name.ends_with(field.as_str()))
    }
}

/// The key of a value, if it can identify: e-mail addresses are compared without regard to case, phone numbers by their last
/// digits.
pub fn key_of(value: &str) -> Option<IdentifierKey> {
    let normal = normalized(value)?;
    let mut key = IdentifierKey::default();
    key.copy_from_slice(&Sha256::digest(normal)[..size_of::<IdentifierKey>()]);
    Some(key)
}

fn normalized(value: &str) -> Option<String> {
    let value = value.trim().to_lowercase();
    if value.is_empty() || value.len() > MAX_LENGTH {
        return None;
    }
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    let is_phone = value.chars().all(|letter| letter.is_ascii_digit() || " +-().,/".contains(letter));
    match is_phone && digits.len() >= LEAST_PHONE_DIGITS {
        true => Some(format!("phone {}", &digits[digits.len().saturating_sub(PHONE_DIGITS)..])),
        false => Some(format!("text {value}")),
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A field's name without what differs between the styles of APIs.
fn plain(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_of_the_catalog_identify_wherever_they_stand() {
        let identifiers = Identifiers::of(&Catalog::built_in());
        let jane = key_of("jane@example.com").unwrap();
        for payload in [
            json!({ "email": "Jane@Example.com " }),
            json!({ "data": { "contact_email": "jane@example.com" } }),
            json!({ "people": [{ "additionalEmails": "x" }, { "Email": ["jane@example.com"] }] }),
        ] {
            assert!(identifiers.keys_in(&payload).contains(&jane), "{payload}");
        }
        for payload in [json!({ "name": "jane@example.com" }), json!({ "email": null }), json!([1, "a"])] {
            assert!(identifiers.keys_in(&payload).is_empty(), "{payload}");
        }
    }

    #[test]
    fn phone_numbers_are_the_same_however_they_are_written() {
        let known = key_of("+442079460018");
        for written in ["020 7946 0018", "(020) 7946-0018", "0044 20 7946 0018", "+44.20.7946.0018"] {
            assert_eq!(key_of(written), known, "{written}");
        }
        for other in ["+442079460019", "12345", "", "2079460018a"] {
            assert_ne!(key_of(other), known, "{other}");
        }
    }
}
