//! An event that an API sends as a webhook.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::nested_inputs::{BodyPath, NestedInputs};

/// An event type, listed in `events.yaml` under its name (such as `ContactUpdate`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("dependencies" = { "reconcile": ["change"] }))]
pub struct EventType {
    /// A few words.
    pub title: String,
    /// Values of the body's type field for this event. Empty if its bodies have none; then `signs` identifies them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// For bodies without a type: JSONPaths of fields that are all present. If several events match, the body is
    /// delivered for each of them that a recipe asks for, and the event lists them all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signs: Vec<String>,
    /// Further signs: JSONPath → its value (`status: paid`).
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub values: IndexMap<String, String>,
    /// JSONPaths of the record's id; the first one with a value is used.
    pub id: Vec<String>,
    /// JSONPath of the record in the body.
    #[serde(default = "root", skip_serializing_if = "is_root")]
    pub record: String,
    /// Documented fields of the record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// Scopes that the app needs to receive it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// The read that fetches the whole record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hydrate: Option<Hydrate>,
    /// What happened to the record; required with `reconcile`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<RecordChange>,
    /// The poller that finds lost events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconcile: Option<String>,
    /// Pitfalls, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What happened to the record of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordChange {
    /// It was created.
    New,
    /// It was changed.
    Changed,
    /// It was removed.
    Removed,
}

fn root() -> String {
    "$".into()
}

fn is_root(path: &str) -> bool {
    path == "$"
}

/// A read that fetches an event's whole record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hydrate {
    /// The operation.
    pub operation: String,
    /// Its inputs: name → a constant, or a value with `{{ $.path }}` for what stands there in the body.
    #[schemars(with = "IndexMap<String, serde_json::Value>")]
    pub with: NestedInputs<BodyPath>,
}
