//! Looking for what a create in doubt would have made. Pure: the answer is given.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use crate::catalog::{Operation, Probe, path};
use crate::value::{Map, Value};

/// Clocks differ: what seems to be this much older than the attempt may still come from it.
const SKEW: TimeDelta = TimeDelta::seconds(60);

/// What an answer to a probe tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Sighting {
    /// This is what the create made.
    Found(Value),
    /// It made nothing.
    Absent,
    /// It cannot be told.
    Unclear(String),
}

/// The inputs of the probe's read: those of the create that it asks for.
pub fn inputs(probe: &Probe, sent: &Map<String, Value>) -> Map<String, Value> {
    let given = |(name, from): (&String, &String)| {
        let value = sent.get(from).filter(|value| !value.is_null())?;
        Some((name.clone(), value.clone()))
    };
    probe.with.iter().filter_map(given).collect()
}

/// Whether `answer`, to the probe's read, shows what was sent at `at`.
pub fn look(
    probe: &Probe,
    read: &Operation,
    answer: &Value,
    sent: &Map<String, Value>,
    at: DateTime<Utc>,
) -> Sighting {
    let wanted: Vec<(&str, &Value)> = probe
        .matching
        .iter()
        .filter_map(|(place, input)| Some((place.as_str(), sent.get(input).filter(|v| !v.is_null())?)))
        .collect();
    if wanted.is_empty() {
        let names: Vec<&str> = probe.matching.values().map(String::as_str).collect();
        return Sighting::Unclear(format!("without `{}` it cannot be recognised", names.join("`, `")));
    }
    for item in items(read, answer) {
        if !wanted.iter().all(|(place, value)| field(&item, place).is_some_and(|found| alike(value, &found)))
        {
            continue;
        }
        let Some(created) = &probe.created else { return Sighting::Found(item) };
        match field(&item, created).as_ref().and_then(time) {
            Some(created) if created + SKEW < at => {}
            Some(_) => return Sighting::Found(item),
            None => return Sighting::Unclear("a record like it exists, but not since when".into()),
        }
    }
    Sighting::Absent
}

fn items(read: &Operation, answer: &Value) -> Vec<Value> {
    let paths = read.list.as_ref().map_or(&read.result, |list| &list.items);
    match path::read_first(answer, paths) {
        Some(Value::Array(items)) => items,
        Some(Value::Null) | None => vec![],
        Some(single) => vec![single],
    }
}

fn field(item: &Value, place: &str) -> Option<Value> {
    let place = if place.starts_with('$') { place.to_owned() } else { format!("$.{place}") };
    path::read(item, &place).filter(|value| !value.is_null())
}

/// Equal but for what servers do to values: case, white space, numbers as text, order.
fn alike(sent: &Value, found: &Value) -> bool {
    match (sent, found) {
        (Value::Array(sent), Value::Array(found)) => {
            sent.iter().all(|one| found.iter().any(|other| alike(one, other)))
        }
        (Value::Object(sent), Value::Object(found)) => sent
            .iter()
            .filter(|(_, value)| !value.is_null())
            .all(|(name, value)| found.get(name).is_some_and(|other| alike(value, other))),
        _ => match (time(sent), time(found)) {
            (Some(sent), Some(found)) => sent == found,
            _ => folded(sent) == folded(found),
        },
    }
}

fn folded(value: &Value) -> String {
    match value {
        Value::String(text) => text.trim().to_lowercase(),
        other => other.to_string(),
    }
}

fn time(value: &Value) -> Option<DateTime<Utc>> {
    match value {
        Value::String(text) => {
            let exact = DateTime::parse_from_rfc3339(text).map(|time| time.with_timezone(&Utc)).ok();
            exact.or_else(|| text.replace(' ', "T").parse::<NaiveDateTime>().map(|t| t.and_utc()).ok())
        }
        Value::Number(number) => number.as_i64().filter(|n| *n > 1_000_000_000).and_then(|n| {
            if n > 100_000_000_000 {
                DateTime::from_timestamp_millis(n)
            } else {
                DateTime::from_timestamp(n, 0)
            }
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sighting(sent: Value, answer: Value) -> Sighting {
        let probe: Probe = serde_yaml::from_str(
            "operation: notes.list\nwith: { contactId: contactId }\nmatch: { body: body }\ncreated: dateAdded",
        )
        .unwrap();
        let read: Operation =
            serde_yaml::from_str("title: t\nsummary: s\nkinds: [poller]\nlist: { items: ['$.notes[*]'] }")
                .unwrap();
        let at = DateTime::parse_from_rfc3339("2026-11-23T10:00:00Z").unwrap().with_timezone(&Utc);
        look(&probe, &read, &answer, sent.as_object().unwrap(), at)
    }

    #[test]
    fn recognises_its_own_and_no_older_one() {
        let note = |body: &str, added: &str| json!({ "body": body, "dateAdded": added });
        let sent = json!({ "contactId": "c", "body": "Hello " });
        let old = note("hello", "2026-11-20T10:00:00Z");
        let new = note("hello", "2026-11-23T09:59:30Z");
        let other = note("bye", "2026-11-23T10:00:01Z");
        let found = sighting(sent.clone(), json!({ "notes": [old, other, new] }));
        assert_eq!(found, Sighting::Found(new));
        assert_eq!(sighting(sent.clone(), json!({ "notes": [old, other] })), Sighting::Absent);
        assert_eq!(sighting(sent.clone(), json!({ "notes": [] })), Sighting::Absent);
        let ageless = json!({ "notes": [{ "body": "hello" }] });
        assert!(matches!(sighting(sent, ageless), Sighting::Unclear(_)));
        assert!(matches!(sighting(json!({ "contactId": "c" }), json!({})), Sighting::Unclear(_)));
    }
}
