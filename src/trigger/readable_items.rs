//! Separates records of a page that cannot be identified or read from those that can. Pure.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::catalog::Listing;
use crate::request::paging::in_item;
use crate::value::{id, timestamp};

/// Largest record that a recipe gets, in bytes of JSON: the limit for a webhook's body.
const MAX_SIZE: usize = 5 << 20;
/// Bytes kept of a larger record, for people.
const MAX_EXCERPT: usize = 16 << 10;
/// Prefix of the names under which unreadable records are remembered.
const PREFIX: &str = "unreadable:";

/// The records of a page.
#[derive(Debug, Default, PartialEq)]
pub(super) struct ReadableItems {
    /// Records that can be read.
    pub good: Vec<Value>,
    /// Records that cannot.
    pub bad: Vec<Unreadable>,
}

/// A record that cannot be read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Unreadable {
    /// Its position on the page, from 1.
    pub position: usize,
    /// Name under which it is remembered, so that it is reported once.
    pub name: String,
    /// Its id, where it has one.
    pub id: Option<String>,
    /// Reason, for people.
    pub reason: String,
    /// The record, or the beginning of a very large one.
    pub record: Value,
}

/// Whether the name of a seen record is that of an unreadable one.
pub(super) fn is_unreadable(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// Separates the records of a page.
pub(super) fn split_unreadable(listing: &Listing, items: Vec<Value>) -> ReadableItems {
    let mut split = ReadableItems::default();
    for (index, item) in items.into_iter().enumerate() {
        let text = item.to_string();
        let Some(reason) = problem(listing, &item, text.len()) else {
            split.good.push(item);
            continue;
        };
        let given = listing.id.iter().find_map(|name| in_item(&item, name));
        let name = format!("{PREFIX}{}", hex::encode(&Sha256::digest(&text)[..16]));
        let (position, id) = (index + 1, given.as_ref().and_then(id));
        let record =
            if text.len() > MAX_SIZE { json!(text[..text.floor_char_boundary(MAX_EXCERPT)]) } else { item };
        split.bad.push(Unreadable { position, name, id, reason, record });
    }
    split
}

/// Why a record cannot be read; `None` when it can.
fn problem(listing: &Listing, item: &Value, size: usize) -> Option<String> {
    if size > MAX_SIZE {
        return Some(format!("it is larger than {} MiB", MAX_SIZE >> 20));
    }
    if item.is_null() {
        return Some("it is null".to_owned());
    }
    let (first, _) = listing.id.split_first()?;
    if !item.is_object() {
        return Some(format!("it is {} instead of a mapping", words(item)));
    }
    match listing.id.iter().find_map(|name| in_item(item, name)) {
        None => Some(format!("it has no `{first}`")),
        Some(found) if id(&found).is_none() => {
            Some(format!("its `{first}` is {} instead of text or a number", words(&found)))
        }
        Some(_) => None,
    }
}

/// A time field of the item whose value is not a time.
pub(super) fn odd_time<'a>(listing: &'a Listing, item: &Value) -> Option<(&'a str, Value)> {
    let fields = [&listing.updated, &listing.created].into_iter().flatten();
    fields
        .filter_map(|name| Some((name.as_str(), in_item(item, name)?)))
        .find(|(_, value)| value != "" && timestamp(value).is_none())
}

fn words(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(text) if text.is_empty() => "empty",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(text: &str) -> Listing {
        serde_yaml::from_str(text).unwrap()
    }

    #[test]
    fn the_valid_ones_continue() {
        let list = listing("{ items: ['$[*]'], id: [id, _id] }");
        let large = json!({ "id": "l", "text": "ü".repeat(MAX_SIZE / 2) });
        let items = vec![
            json!({ "id": "a" }),
            json!({ "name": "none" }),
            json!({ "_id": 7 }),
            json!({ "id": { "$oid": "x" } }),
            json!("text"),
            json!(null),
            json!({ "id": "" }),
            json!({ "id": ["b"] }),
            json!([{ "id": "c" }]),
            json!({ "id": true }),
            large,
        ];
        let split = split_unreadable(&list, items);
        assert_eq!(split.good, [json!({ "id": "a" }), json!({ "_id": 7 })]);
        let told: Vec<(usize, &str)> =
            split.bad.iter().map(|bad| (bad.position, bad.reason.as_str())).collect();
        assert_eq!(
            told,
            [
                (2, "it has no `id`"),
                (4, "its `id` is a mapping instead of text or a number"),
                (5, "it is text instead of a mapping"),
                (6, "it is null"),
                (7, "its `id` is empty instead of text or a number"),
                (8, "its `id` is a list instead of text or a number"),
                (9, "it is a list instead of a mapping"),
                (10, "its `id` is true or false instead of text or a number"),
                (11, "it is larger than 5 MiB"),
            ]
        );
        assert_eq!(split.bad.last().unwrap().id.as_deref(), Some("l"));
        assert!(split.bad.last().unwrap().record.as_str().unwrap().len() <= MAX_EXCERPT);
        assert!(split.bad.iter().all(|bad| is_unreadable(&bad.name)));
    }

    #[test]
    fn items_that_are_their_own_ids_may_be_anything_but_null() {
        let list = listing("{ items: ['$[*]'] }");
        let split = split_unreadable(&list, vec![json!("vip"), json!(7), json!({ "a": 1 }), json!(null)]);
        assert_eq!((split.good.len(), split.bad.len()), (3, 1));
    }

    #[test]
    fn times_that_are_none_are_found() {
        let list = listing("{ items: ['$[*]'], id: [id], updated: u, created: c }");
        let odd = |item: Value| odd_time(&list, &item).map(|(name, _)| name.to_owned());
        assert_eq!(odd(json!({ "u": "yesterday", "c": "2026-01-01" })).as_deref(), Some("u"));
        assert_eq!(odd(json!({ "u": 1_772_366_400, "c": { "at": 1 } })).as_deref(), Some("c"));
        assert_eq!(odd(json!({ "u": null, "c": "" })), None);
    }
}
