//! What sending an operation twice does, where its effect alone does not tell.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Inputs with which an operation makes a new record each time, though it is idempotent with others. All that is
/// said has to be so.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CreatesWhen {
    /// These inputs have these values.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub equal: IndexMap<String, Value>,
    /// None of these inputs is given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
}

/// A field of the answer that tells what this very request did. Sent again after a lost answer, it tells what the
/// second one did, which says nothing of the first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstOnly {
    /// JSONPath in the answer.
    pub field: String,
    /// JSONPath in the answer of the time when the record was created, for a field that is true when the request
    /// created it: by the time it is found out whether an earlier attempt did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
}

impl CreatesWhen {
    /// Whether these inputs make a new record.
    pub(super) fn holds(&self, inputs: &Map<String, Value>) -> bool {
        let given = |name: &String| inputs.get(name).filter(|value| !value.is_null());
        // Inputs may still be the text of what they will be: `"true"`.
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
