//! The JSON Schema of a recipe, generated from its syntax types.

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde_json::Value;

use super::syntax;

static SCHEMA: LazyLock<Value> = LazyLock::new(schema_of::<syntax::Recipe>);

/// The structure of a recipe as JSON Schema, draft 7. It knows no operations.
pub fn schema() -> &'static Value {
    &SCHEMA
}

/// The schema of a file whose syntax is `T`, as [`super::structure`] understands it.
pub fn schema_of<T: JsonSchema>() -> Value {
    let mut schema = SchemaSettings::draft07().for_deserialize().into_generator().into_root_schema_for::<T>();
    RecursiveTransform(tidy).transform(&mut schema);
    schema.to_value()
}

/// Line breaks of the source say nothing here, nor does the width of a number; and a field that is
/// there has a value: schemars allows null for what is optional, hob does not.
fn tidy(schema: &mut Schema) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".into(), only);
        }
    }
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.replace('\n', " ");
    }
    if schema.get("format") == Some(&Value::from("int64")) {
        schema.remove("format");
    }
    let Some(Value::Array(branches)) = schema.get_mut("anyOf") else { return };
    let before = branches.len();
    branches.retain(|branch| branch.get("type") != Some(&Value::from("null")));
    if let [only] = branches.as_slice()
        && before > 1
    {
        let only = only.clone();
        schema.remove("anyOf");
        // Draft 7 ignores what stands beside a reference.
        match only.get("$ref") {
            Some(_) if schema.as_object().is_some_and(|s| !s.is_empty()) => {
                schema.insert("allOf".into(), Value::Array(vec![only]));
            }
            _ => schema.as_object_mut().into_iter().zip(only.as_object()).for_each(|(schema, only)| {
                schema.extend(only.iter().map(|(key, value)| (key.clone(), value.clone())));
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_no_null_anywhere() {
        let text = serde_json::to_string_pretty(schema()).unwrap();
        assert!(!text.contains("null\""), "{text}");
    }
}
