//! How the answer to a write shows the record that was written, and which writes may be left out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the answer to a write shows the record that was written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Shows {
    /// The answer shows the whole record: a field that was sent, that `response` describes and that is missing was
    /// not kept.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub whole: bool,
    /// Fields whose letters may come back in another case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub caseless: Vec<String>,
    /// Lists without an order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sets: Vec<String>,
    /// Inputs that say what to do, or that the answer shows in another way: they are not compared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aside: Vec<String>,
}

impl Shows {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the letters of the field `name` may come back in another case.
    pub fn is_caseless(&self, name: &str) -> bool {
        self.caseless.iter().any(|field| field == name)
    }

    /// Whether the field `name` is a list without an order.
    pub fn is_set(&self, name: &str) -> bool {
        self.sets.iter().any(|field| field == name)
    }
}
