//! The effect of sending an operation twice, if it depends on inputs.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Inputs with which an otherwise idempotent operation creates a new record each time. All conditions must hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CreatesWhen {
    /// Inputs with these values.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub equal: IndexMap<String, Value>,
    /// Inputs that are not given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
}

/// A field of the answer that describes this request only. If the request is repeated after a lost answer, the field
/// describes the second one and says nothing about the first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstOnly {
    /// JSONPath in the answer.
    pub field: String,
    /// JSONPath in the answer of the record's creation time, for a field that is true if the request created the
    /// record: the time shows whether an earlier attempt did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
}

impl CreatesWhen {
    /// Whether these inputs create a new record.
    pub(super) fn holds(&self, inputs: &Map<String, Value>) -> bool {
        let given = |name: &String| inputs.get(name).filter(|value| !value.is_null());
        // Inputs may be literals as text: `"true"`.
        let text =
            |value: &Value| value.as_str().map_or_else(|| value.to_string(), |text| text.trim().to_owned());
        self.equal.iter().all(|(name, wanted)| given(name).is_some_and(|value| text(value) == text(wanted)))
            && !self.without.iter().any(|name| given(name).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Catalog, Effect};
    use serde_json::json;

    #[test]
    fn an_upsert_may_be_a_create() {
        let catalog = Catalog::built_in();
        let effect = |operation: &str, inputs: Value| {
            let operation = catalog.operation(operation).unwrap();
            operation.effect_with(inputs.as_object().unwrap())
        };
        let upsert = |inputs: Value| effect("contacts.upsert", inputs);
        assert_eq!(upsert(json!({ "email": "a@b.c" })), Effect::Idempotent);
        assert_eq!(upsert(json!({ "email": null, "phone": "+1555" })), Effect::Idempotent);
        for yes in [json!(true), json!("true"), json!(" true ")] {
            let inputs = json!({ "email": "a@b.c", "createNewIfDuplicateAllowed": yes });
            assert_eq!(upsert(inputs), Effect::Create);
        }
        assert_eq!(
            upsert(json!({ "email": "a@b.c", "createNewIfDuplicateAllowed": false })),
            Effect::Idempotent
        );
        for nothing_to_find in [json!({}), json!({ "firstName": "Ada" }), json!({ "email": null })] {
            assert_eq!(upsert(nothing_to_find), Effect::Create);
        }
        let campaign = |inputs: Value| effect("ad_publishing.facebook.campaigns.update", inputs);
        assert_eq!(campaign(json!({ "id": "c", "name": "n" })), Effect::Idempotent);
        assert_eq!(campaign(json!({ "name": "n" })), Effect::Create);
    }
}
