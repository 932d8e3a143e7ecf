//! An event that an API sends as a webhook.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An event type, as it stands in `events.yaml` under its name (`ContactUpdate`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("dependencies" = { "reconcile": ["change"] }))]
pub struct EventType {
    /// A few words.
    pub title: String,
    /// Values of the body's type field that mean this event. Empty: its bodies carry none, and
    /// `signs` tells them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// For bodies without a type of their own: fields that are all there, by JSONPath. Where several
    /// events look alike, the body goes to all of them that a recipe asks for, and the event says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signs: Vec<String>,
    /// Further signs by value: JSONPath → the value it has (`status: paid`).
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub values: IndexMap<String, String>,
    /// JSONPaths of the record's id, the first that finds something wins.
    pub id: Vec<String>,
    /// JSONPath of the record in the body.
    #[serde(default = "root", skip_serializing_if = "is_root")]
    pub record: String,
    /// Fields of the record that the documentation names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// Scopes the app needs to receive it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// The read that fetches the whole record: operation and its inputs by JSONPath in the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hydrate: Option<Hydrate>,
    /// What happened to the record; needed with `reconcile`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<RecordChange>,
    /// The poller that finds what the sender lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconcile: Option<String>,
    /// Pitfalls worth knowing, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What happened to the record that an event is about.
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
    /// Its inputs: name → JSONPath in the body.
    pub with: IndexMap<String, String>,
}
