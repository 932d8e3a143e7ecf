//! What a step wrote, record by record: what hob is asked for when somebody wonders who changed something.

use serde::{Deserialize, Serialize};

use super::truncate::truncate;
use crate::catalog::{Effect, Operation, Place, path};
use crate::value::{Map, Value, id};

/// What a step wrote to one record of an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Write {
    /// The account.
    pub connection: String,
    /// The record's id.
    pub record: String,
    /// The operation.
    pub operation: String,
    /// What was sent, without what only says which record is meant.
    pub fields: Value,
}

/// The id of the record that the answer of `operation` with this `body` shows as its result.
pub fn record_id(operation: &Operation, body: &Value) -> Option<String> {
    item_id(&path::read_first(body, &operation.result)?)
}

/// The id of the record `item`.
pub fn item_id(item: &Value) -> Option<String> {
    ["id", "_id"].iter().find_map(|name| item.get(name).and_then(id))
}

/// What `operation` wrote on `connection` when it was called with `inputs` and came to `result`: to the
/// records that its path names, to the one that the result is, and to `shown`, which the answer showed.
pub fn writes(
    operation: &Operation,
    connection: Option<&str>,
    inputs: &Map<String, Value>,
    result: &Value,
    shown: Option<&str>,
) -> Vec<Write> {
    let Some(connection) = connection.filter(|_| operation.effect != Effect::Read) else { return Vec::new() };
    let in_path = |name: &String| {
        operation.parameters.get(name).is_some_and(|parameter| parameter.place == Place::Path)
    };
    let named = inputs.iter().filter(|(name, _)| in_path(name)).filter_map(|(_, value)| id(value));
    let mut records: Vec<String> = named.chain(item_id(result)).chain(shown.map(str::to_owned)).collect();
    records.sort();
    records.dedup();
    if records.is_empty() {
        return Vec::new();
    }
    let sent = inputs.iter().filter(|(name, _)| !in_path(name));
    let sent = sent.map(|(name, value)| (name.clone(), value.clone())).collect();
    let mut fields = Value::Object(sent);
    truncate(&mut fields);
    let write = |record| Write {
        connection: connection.to_owned(),
        record,
        operation: operation.id.clone(),
        fields: fields.clone(),
    };
    records.into_iter().map(write).collect()
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
        let writes = writes(&operation(effect), Some("studio"), &inputs, &result, None);
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
