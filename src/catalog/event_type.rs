//! An event that an API sends as a webhook.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::nested_inputs::{BodyPath, NestedInputs};
use crate::value::SAMPLE_TEXT;

/// An event type, listed in `events.yaml` under its name (such as `ContactUpdate`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("dependencies" = { "reconcile": ["change"] }))]
pub struct EventType {
    /// A few words.
    pub title: String,
    /// Values of the body's type field for this event. Empty if its bodies have none; then `signs` identifies them.
    #[serde(default)]
    pub types: Vec<String>,
    /// For bodies without a type: JSONPaths of fields that are all present. If several events match, the body is
    /// delivered for each of them that a recipe asks for, and the event lists them all.
    #[serde(default)]
    pub signs: Vec<String>,
    /// Further signs: JSONPath → its value (`status: paid`).
    #[serde(default)]
    pub values: IndexMap<String, String>,
    /// JSONPaths of the record's id; the first one with a value is used.
    pub id: Vec<String>,
    /// JSONPath of the record in the body.
    #[serde(default = "root")]
    pub record: String,
    /// Documented fields of the record.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Those of them that may be missing.
    #[serde(default)]
    pub optional: Vec<String>,
    /// Scopes that the app needs to receive it.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The read that fetches the whole record.
    pub hydrate: Option<Hydrate>,
    /// What happened to the record; required with `reconcile`. Without it, no event of this kind is taken for an echo
    /// of hob's own write: it may tell that the record is gone, and show what it had.
    pub change: Option<RecordChange>,
    /// Only some changes of the record cause it, and a list does not show which.
    #[serde(default)]
    pub partial: bool,
    /// The poller that finds lost events.
    pub reconcile: Option<String>,
    /// Pitfalls, a sentence each.
    #[serde(default)]
    pub notes: Vec<String>,
}

impl EventType {
    /// A body with the documented fields, each with a sample text; `None` if the body's form is not known.
    pub fn sample(&self) -> Option<Value> {
        if self.record != root() {
            return None;
        }
        let fields = self.fields.iter().map(|name| (name.clone(), Value::from(SAMPLE_TEXT)));
        let mut body: Map<String, Value> = fields.collect();
        if let Some(kind) = self.types.first() {
            body.insert("type".to_owned(), Value::from(kind.as_str()));
        }
        Some(Value::Object(body))
    }
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

impl RecordChange {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}

fn root() -> String {
    "$".into()
}

/// A read that fetches an event's whole record.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hydrate {
    /// The operation.
    pub operation: String,
    /// Its inputs: name → a constant, or a value with `{{ $.path }}` for what stands there in the body.
    #[schemars(with = "IndexMap<String, serde_json::Value>")]
    pub with: NestedInputs<BodyPath>,
}
