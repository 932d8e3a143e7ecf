//! Replaces personal data in a test by invented data, everywhere the same by the same.
//!
//! What counts is told by the value (e-mail addresses) or by the name of its field (names, phone numbers, addresses,
//! dates of birth). Ids stay: they say nothing of a person without the account.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)[a-z0-9._%+'-]+@[a-z0-9-]+(\.[a-z0-9-]+)+").expect("a valid expression")
});

/// Words in names of fields with personal data, and what stands there.
const FIELDS: [(&str, Kind); 14] = [
    ("email", Kind::Address),
    ("phone", Kind::Phone),
    ("mobile", Kind::Phone),
    ("firstname", Kind::Name),
    ("lastname", Kind::Name),
    ("fullname", Kind::Name),
    ("contactname", Kind::Name),
    ("companyname", Kind::Name),
    ("dateofbirth", Kind::Date),
    ("birthday", Kind::Date),
    ("birthdate", Kind::Date),
    ("address", Kind::Text),
    ("street", Kind::Text),
    ("postal", Kind::Text),
];
/// Names of fields with a person's name, which are too short to be looked for within others.
const NAMES: [&str; 2] = ["name", "surname"];
/// Texts that are shorter are replaced only where they are a whole value: they occur in others by chance.
const MIN_WITHIN: usize = 3;

/// A kind of personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Address,
    Phone,
    Name,
    Date,
    Text,
}

impl Kind {
    /// What stands for the `number`th text of this kind.
    fn invented(self, number: usize) -> String {
        match self {
            Self::Address => format!("person{number}@example.com"),
            // 555-0100 to 0199 are kept for fiction.
            Self::Phone => format!("+1202555{:04}", 100 + number % 100),
            Self::Name => format!("Person{number}"),
            Self::Date => format!("1990-01-{:02}", 1 + number % 28),
            Self::Text => format!("Text {number}"),
        }
    }
}

/// Replaces personal data in `test`; returns how many different texts were replaced.
pub fn anonymize(test: &mut Map<String, Value>) -> usize {
    let mut found = BTreeMap::new();
    for (name, value) in test.iter().filter(|(name, _)| *name != "name") {
        collect(name, value, &mut found);
    }
    let mut numbers: BTreeMap<Kind, usize> = BTreeMap::new();
    let mut replacements: Vec<(String, String)> = found
        .into_iter()
        .map(|(text, kind)| {
            let number = numbers.entry(kind).or_default();
            *number += 1;
            (text, kind.invented(*number))
        })
        .collect();
    // A text within another one must not be replaced first.
    replacements.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
    for (name, value) in test.iter_mut().filter(|(name, _)| *name != "name") {
        match value {
            Value::Object(expected) if name == "expect" => {
                expected
                    .iter_mut()
                    .for_each(|(name, value)| replace(value, &replacements, has_data_keys(name)));
            }
            _ => replace(value, &replacements, has_data_keys(name)),
        }
    }
    replacements.len()
}

/// Whether the keys below the field `name` of a test are data, not names of fields or operations.
fn has_data_keys(name: &str) -> bool {
    matches!(name, "links" | "state")
}

/// Collects what is personal in `value`, the field `name`, in lower case.
fn collect(name: &str, value: &Value, found: &mut BTreeMap<String, Kind>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| collect(name, value, found)),
        Value::Array(items) => items.iter().for_each(|item| collect(name, item, found)),
        Value::String(text) => {
            for address in ADDRESS.find_iter(text) {
                found.insert(address.as_str().to_lowercase(), Kind::Address);
            }
            if let Some(kind) = kind(name).filter(|_| !text.trim().is_empty() && !ADDRESS.is_match(text)) {
                found.entry(text.to_lowercase()).or_insert(kind);
            }
        }
        Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
}

fn kind(name: &str) -> Option<Kind> {
    let plain: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    if NAMES.contains(&plain.as_str()) {
        return Some(Kind::Name);
    }
    FIELDS.iter().find(|(word, _)| plain.contains(word)).map(|(_, kind)| *kind)
}

/// Replaces texts in any case, also in the keys of mappings if these `are_data`.
fn replace(value: &mut Value, replacements: &[(String, String)], are_data: bool) {
    match value {
        Value::Object(fields) => {
            for value in fields.values_mut() {
                replace(value, replacements, are_data);
            }
            if are_data {
                let renamed = std::mem::take(fields).into_iter();
                *fields = renamed.map(|(name, value)| (replaced(&name, replacements), value)).collect();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, replacements, are_data)),
        Value::String(text) => *text = replaced(text, replacements),
        Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
}

fn replaced(text: &str, replacements: &[(String, String)]) -> String {
    let mut text = text.to_owned();
    for (old, new) in replacements {
        if text.to_lowercase() == *old {
            return new.clone();
        }
        if old.chars().count() < MIN_WITHIN {
            continue;
        }
        let edge = |c: Option<char>| if c.is_some_and(char::is_alphanumeric) { r"\b" } else { "" };
        let (first, last) = (edge(old.chars().next()), edge(old.chars().last()));
        let within = Regex::new(&format!("(?i){first}{}{last}", regex::escape(old)));
        if let Ok(within) = within {
            text = within.replace_all(&text, regex::NoExpand(new)).into_owned();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_same_text_becomes_the_same_everywhere() {
        let mut test = json!({
            "name": "run 1 of Ada",
            "event": { "id": "c1", "email": "Ada@Example.org", "full_name": "Ada Lovelace", "note": "Ada Lovelace called" },
            "links": { "people": { "ada@example.org": "7" } },
            "stubs": { "contacts.get": { "result": { "phone": "+44 20 7946 0958", "tags": ["ada@example.org"] } } },
            "expect": { "requests": [{ "do": "x", "with": { "email": "ada@example.org", "body": "for ADA@EXAMPLE.ORG." } }] }
        });
        let count = anonymize(test.as_object_mut().unwrap());
        assert_eq!(count, 3);
        assert_eq!(
            test,
            json!({
                "name": "run 1 of Ada",
                "event": { "id": "c1", "email": "person1@example.com", "full_name": "Person1", "note": "Person1 called" },
                "links": { "people": { "person1@example.com": "7" } },
                "stubs": { "contacts.get": { "result": { "phone": "+12025550101", "tags": ["person1@example.com"] } } },
                "expect": { "requests": [{ "do": "x", "with": { "email": "person1@example.com", "body": "for person1@example.com." } }] }
            })
        );
    }

    #[test]
    fn short_texts_are_replaced_only_where_they_are_the_whole_value() {
        let mut test = json!({ "event": { "firstName": "Bo", "note": "Bo's book", "other": "bo" } });
        anonymize(test.as_object_mut().unwrap());
        assert_eq!(
            test,
            json!({ "event": { "firstName": "Person1", "note": "Bo's book", "other": "Person1" } })
        );
    }
}
