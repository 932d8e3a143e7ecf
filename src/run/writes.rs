//! What a step wrote, by record: answers who changed a record.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::RunId;
use super::entry::ChainLink;
use super::truncate::truncate;
use crate::catalog::{Effect, Operation, Place, WriteTarget, path};
use crate::value::{Map, Value, id, is_same_in_any_case};

/// A write of a step to one record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Write {
    /// The connection.
    pub connection: String,
    /// The record's id.
    pub record: String,
    /// The operation.
    pub operation: String,
    /// The inputs, without those that only identify the record.
    pub fields: Value,
    /// Its origin; missing in writes of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// The origin of a write, and its answer. It outlives its run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// The run.
    pub run: RunId,
    /// Its recipe.
    pub recipe: String,
    /// The step.
    pub step: String,
    /// When it was about to be sent.
    pub sent: DateTime<Utc>,
    /// The sent fields in the answer; all of a created record.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub answer: Value,
    /// Ids of the other records that the request names, such as that of the parent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<String>,
    /// The runs whose writes led to this run, first to last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<ChainLink>,
    /// The record whose event the run is of. Writes of older versions do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceRecord>,
}

/// The record that a write was derived from, and as of when: what was written to that record later was not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRecord {
    /// Its account.
    pub connection: String,
    /// Its id.
    pub record: String,
    /// The record was as the event says at this time or later.
    pub as_of: DateTime<Utc>,
}

/// The written record in an answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ShownRecord {
    /// Its id.
    pub id: Option<String>,
    /// The record; null if missing.
    pub record: Value,
}

impl ShownRecord {
    /// The record in the `body` of an answer of `operation`.
    pub fn of(operation: &Operation, body: &Value) -> Self {
        let record = path::read_first(body, &operation.result).unwrap_or_default();
        Self { id: item_id(&record), record }
    }

    /// What a record that was found after a lost answer tells of the write: fields that are as they were sent. Somebody
    /// may have changed all others since.
    #[must_use]
    pub fn found(self, inputs: &Map<String, Value>) -> Self {
        let Value::Object(mut record) = self.record else { return self };
        record.retain(|name, value| inputs.get(name).is_some_and(|sent| is_same_in_any_case(sent, value)));
        Self { record: Value::Object(record), ..self }
    }
}

/// The id of the record `item`.
pub fn item_id(item: &Value) -> Option<String> {
    ["id", "_id"].iter().find_map(|name| item.get(name).and_then(id))
}

/// The writes of `operation` on `connection` with `inputs` and `result`: to the records in its path, in its result,
/// and in its answer.
pub fn writes(
    operation: &Operation,
    connection: Option<&str>,
    inputs: &Map<String, Value>,
    result: &Value,
    shown: &ShownRecord,
    origin: Option<Origin>,
) -> Vec<Write> {
    let Some(connection) = connection.filter(|_| operation.effect != Effect::Read) else { return Vec::new() };
    let in_path = |name: &String| {
        operation.parameters.get(name).is_some_and(|parameter| parameter.place == Place::Path)
    };
    let named = inputs.iter().filter(|(name, _)| in_path(name)).filter_map(|(_, value)| id(value));
    let mut records: Vec<String> = named.chain(item_id(result)).chain(shown.id.clone()).collect();
    records.sort();
    records.dedup();
    if records.is_empty() {
        return Vec::new();
    }
    let sent = inputs.iter().filter(|(name, _)| !in_path(name));
    let sent: Map<String, Value> = sent.map(|(name, value)| (name.clone(), value.clone())).collect();
    let origin = origin.map(|origin| {
        let mut answer = answered(operation, &sent, &shown.record);
        truncate(&mut answer);
        Origin { answer, ..origin }
    });
    let mut fields = Value::Object(sent);
    truncate(&mut fields);
    let write = |record: &String| {
        let beside = || records.iter().filter(|other| *other != record).cloned().collect();
        Write {
            connection: connection.to_owned(),
            record: record.clone(),
            operation: operation.id.clone(),
            fields: fields.clone(),
            origin: origin.clone().map(|origin| Origin { beside: beside(), ..origin }),
        }
    };
    records.iter().map(write).collect()
}

/// What is stored of the record in the answer.
fn answered(operation: &Operation, sent: &Map<String, Value>, shown: &Value) -> Value {
    let Value::Object(shown) = shown else { return Value::Null };
    let all = operation.write_target() == Some(WriteTarget::Created);
    let kept = shown.iter().filter(|(name, _)| all || sent.contains_key(*name));
    Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn operation(effect: &str) -> Operation {
        let text = format!(
            "title: t\nsummary: s\nkinds: [action]\neffect: {effect}\nparameters:\n  \
             contact: {{ in: path, shape: {{ type: string }} }}\n  dry: {{ in: query, shape: {{ type: boolean }} }}\n"
        );
        Operation { id: "x.y".to_owned(), ..serde_yaml::from_str(&text).unwrap() }
    }

    fn written(effect: &str, inputs: Value, result: Value) -> Vec<(String, Value)> {
        let Value::Object(inputs) = inputs else { unreachable!() };
        let writes =
            writes(&operation(effect), Some("studio"), &inputs, &result, &ShownRecord::default(), None);
        writes.into_iter().map(|write| (write.record, write.fields)).collect()
    }

    #[test]
    fn records_of_the_path_and_of_the_result_are_written() {
        let inputs = json!({ "contact": "c1", "body": "hello", "dry": false });
        let fields = json!({ "body": "hello", "dry": false });
        let both = [("c1".to_owned(), fields.clone()), ("n7".to_owned(), fields)];
        assert_eq!(written("create", inputs.clone(), json!({ "id": "n7" })), both);
        assert_eq!(written("idempotent", inputs.clone(), json!({ "id": "c1" })), both[..1]);
        assert_eq!(written("read", inputs, json!({ "id": "c1" })), []);
        assert_eq!(written("create", json!({ "body": "x" }), json!({ "id": 5 }))[0].0, "5");
        assert_eq!(written("create", json!({ "body": "x" }), json!(null)), []);
    }
}
