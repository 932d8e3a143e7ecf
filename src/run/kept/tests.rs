use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::differences;
use crate::catalog::Catalog;

static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::built_in);

/// What was sent for a field, and a form in which an API may show it.
fn kept_text() -> impl Strategy<Value = (Value, Value)> {
    let words = "[A-Za-zÀ-ž0-9][A-Za-zÀ-ž0-9 '&.,!-]{0,20}[a-z]";
    (words, 0..6).prop_map(|(text, form)| {
        let shown = match form {
            0 => format!(" {text} "),
            1 => text.replace('&', "&amp;"),
            2 => format!("<p>{text}</p>"),
            3 => text.split_whitespace().collect::<Vec<_>>().join(" "),
            _ => text.clone(),
        };
        (json!(text), json!(shown))
    })
}

fn kept_email() -> impl Strategy<Value = (Value, Value)> {
    "[A-Za-z]{1,8}(\\.[A-Z][a-z]{1,5})?@[A-Za-z]{2,6}\\.(com|CO\\.UK)"
        .prop_map(|email| (json!(email), json!(email.to_lowercase())))
}

fn kept_phone() -> impl Strategy<Value = (Value, Value)> {
    (700_000_000_u64..799_999_999, 0..5).prop_map(|(digits, form)| {
        let (first, rest) = (digits / 100_000, digits % 100_000);
        let sent = match form {
            0 => format!("07{first} {rest:05}"),
            1 => format!("+44 7{first} {rest:05}"),
            2 => format!("(07{first}) {rest:05}"),
            3 => format!("00447{first}{rest:05}"),
            _ => format!("+447{first}{rest:05}"),
        };
        (json!(sent), json!(format!("+447{first}{rest:05}")))
    })
}

fn kept_time() -> impl Strategy<Value = (Value, Value)> {
    (1_600_000_000_i64..1_900_000_000, 0..5).prop_map(|(seconds, form)| {
        let time = chrono::DateTime::from_timestamp(seconds, 0).unwrap_or_default();
        let iso = time.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        match form {
            0 => (json!(iso), json!(time.format("%Y-%m-%dT%H:%M:%S.000Z").to_string())),
            1 => (json!(iso), json!(seconds * 1000)),
            2 => (
                json!(time.format("%Y-%m-%d").to_string()),
                json!(time.format("%Y-%m-%dT00:00:00.000Z").to_string()),
            ),
            3 => (json!(time.format("%d/%m/%Y").to_string()), json!(time.format("%Y-%m-%d").to_string())),
            _ => (json!(time.format("%Y-%m-%d %H:%M:%S").to_string()), json!(iso)),
        }
    })
}

fn kept_number() -> impl Strategy<Value = (Value, Value)> {
    (-10_000_i64..10_000, 0..4).prop_map(|(number, form)| match form {
        0 => (json!(number), json!(number.to_string())),
        1 => (json!(number.to_string()), json!(number)),
        2 => (json!(number as f64 / 4.0), json!(number as f64 / 4.0)),
        _ => (json!(number), json!(number as f64)),
    })
}

fn kept_list() -> impl Strategy<Value = (Value, Value)> {
    (proptest::collection::vec("[A-Za-z]{1,8}", 0..6), any::<bool>()).prop_map(|(tags, more)| {
        let mut shown: Vec<String> = tags.iter().rev().map(|tag| tag.to_lowercase()).collect();
        shown.extend(more.then(|| "added".to_owned()));
        (json!(tags), json!(shown))
    })
}

fn kept_custom() -> impl Strategy<Value = (Value, Value)> {
    proptest::collection::vec(kept_number(), 0..4).prop_map(|values| {
        let name = |number: usize| format!("field{number}");
        let sent =
            values.iter().enumerate().map(|(n, (sent, _))| json!({ "id": name(n), "field_value": sent }));
        let shown =
            values.iter().enumerate().map(|(n, (_, shown))| json!({ "id": name(n), "fieldValue": shown }));
        let mut shown: Vec<Value> = shown.collect();
        shown.push(json!({ "id": "other", "value": "x" }));
        (sent.collect(), Value::Array(shown))
    })
}

/// What an API makes of fields that were not sent, or that say what to do.
fn aside() -> Value {
    json!({ "id": "c1", "locationId": "l1", "type": "lead", "country": "GB", "dateUpdated": "2026-11-28T10:00:00Z" })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]
    #[test]
    fn no_ordinary_write_is_taken_for_one_that_was_not_kept(
        (name, email, phone, number) in (kept_text(), kept_email(), kept_phone(), kept_number()),
        (time, tags, custom, dnd) in (kept_time(), kept_list(), kept_custom(), any::<bool>()),
        create in any::<bool>(),
    ) {
        let fields = [
            ("firstName", name), ("email", email), ("phone", phone), ("postalCode", number), ("dateOfBirth", time),
            ("tags", tags), ("customFields", custom), ("dnd", (json!(dnd), json!(dnd))),
            ("source", (Value::Null, json!(if create { "api" } else { "" }))),
            ("password", (json!("s3cret"), json!("other"))),
        ];
        let (mut sent, mut shown) = (json!({ "contactId": "c1" }), aside());
        for (field, (one, other)) in fields {
            sent[field] = one;
            shown[field] = other;
        }
        let operation = CATALOG.operation(if create { "contacts.create" } else { "contacts.update" }).unwrap();
        let found = differences(operation, sent.as_object().unwrap(), &json!({ "contact": shown }));
        prop_assert!(found.is_empty(), "{found:?}");
    }
}
