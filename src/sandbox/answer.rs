//! Builds the answer: the result at the place named by the catalog.

use serde_json::{Map, Value};

use super::execute::Outcome;
use super::sample::sample;
use super::step::{Action, Behaviour};
use super::template::Scope;
use crate::catalog::Operation;

/// An answer of an operation.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Content,
}

/// What an answer holds.
#[derive(Debug)]
pub(super) enum Content {
    Json(Value),
    File { media_type: String, bytes: Vec<u8> },
}

/// The answer after `outcome`.
pub(super) fn reply(operation: &Operation, behaviour: &Behaviour, outcome: Outcome, scope: &Scope) -> Reply {
    let created = matches!(behaviour.step.action, Action::Create(_)) && operation.method == "POST";
    let status = behaviour.status.unwrap_or(if created { 201 } else { 200 });
    if let Some(media_type) = &operation.download {
        let text = behaviour.file.as_ref().and_then(|file| file.text(scope));
        let bytes = text.map_or_else(|| file(media_type), String::into_bytes);
        return Reply { status, body: Content::File { media_type: media_type.clone(), bytes } };
    }
    let shown = |mut record: Map<String, Value>| {
        record.retain(|field, _| behaviour.only.is_empty() || behaviour.only.contains(field));
        Value::Object(record)
    };
    let result = |value| place(&result_path(operation, behaviour), value);
    let mut body = match (&behaviour.answer, outcome) {
        (Some(answer), _) => answer.render(scope).unwrap_or(Value::Null),
        (None, Outcome::Whole(value)) => value,
        (None, Outcome::Record(record)) => result(record.map_or(Value::Null, shown)),
        (None, Outcome::Records(records)) => result(records.into_iter().map(shown).collect()),
        (None, Outcome::Done) => operation.response.as_ref().map_or(Value::Object(Map::new()), sample),
    };
    for (field, template) in &behaviour.extra {
        if let (Value::Object(body), Some(value)) = (&mut body, template.render(scope)) {
            merge(body.entry(field.clone()).or_insert(Value::Null), value);
        }
    }
    Reply { status, body: Content::Json(body) }
}

fn result_path(operation: &Operation, behaviour: &Behaviour) -> String {
    let listed = operation.list.as_ref().and_then(|list| list.items.first());
    let single = operation.result.first();
    let listed = listed.filter(|_| matches!(behaviour.step.action, Action::List(_)));
    let path = behaviour.at.as_ref().or(listed).or(single);
    path.cloned().unwrap_or_else(|| "$".to_owned())
}

/// `value` at `path`, a JSONPath of plain names that may end in `[*]`.
fn place(path: &str, value: Value) -> Value {
    let names =
        path.trim_start_matches('$').trim_end_matches("[*]").split('.').filter(|name| !name.is_empty());
    names.rev().fold(value, |value, name| Value::Object(Map::from_iter([(name.to_owned(), value)])))
}

fn merge(into: &mut Value, value: Value) {
    match (into, value) {
        (Value::Object(into), Value::Object(fields)) => {
            for (field, value) in fields {
                merge(into.entry(field).or_insert(Value::Null), value);
            }
        }
        (into, value) => *into = value,
    }
}

/// A small file of a media type: a tenth of a second of silence, or nothing.
fn file(media_type: &str) -> Vec<u8> {
    const RATE: u32 = 8_000;
    const LENGTH: u32 = RATE / 10;
    if !media_type.contains("wav") {
        return Vec::new();
    }
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36 + LENGTH).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16u32.to_le_bytes());
    // PCM, mono, 8 bits.
    wav.extend([1, 0, 1, 0]);
    wav.extend(RATE.to_le_bytes());
    wav.extend(RATE.to_le_bytes());
    wav.extend([1, 0, 8, 0]);
    wav.extend(b"data");
    wav.extend(LENGTH.to_le_bytes());
    wav.resize(wav.len() + LENGTH as usize, 128);
    wav
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn results_stand_where_the_catalog_says() {
        assert_eq!(place("$", json!(1)), json!(1));
        assert_eq!(place("$[*]", json!([1])), json!([1]));
        assert_eq!(place("$.messages.messages[*]", json!([])), json!({ "messages": { "messages": [] } }));
    }

    #[test]
    fn further_fields_go_beside_the_result() {
        let mut body = json!({ "messages": { "messages": [1] } });
        merge(&mut body["messages"], json!({ "nextPage": false }));
        assert_eq!(body, json!({ "messages": { "messages": [1], "nextPage": false } }));
    }
}
