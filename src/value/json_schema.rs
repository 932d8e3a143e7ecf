//! JSON Schemas of files, generated from their types.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde_json::Value;

/// The schema, draft 7, of a file that is deserialized into a `T`.
pub fn schema_of<T: JsonSchema>() -> Value {
    let mut schema = SchemaSettings::draft07().for_deserialize().into_generator().into_root_schema_for::<T>();
    RecursiveTransform(tidy).transform(&mut schema);
    schema.to_value()
}

/// Removes line breaks of doc comments and widths of numbers. Optional fields do not accept null: schemars allows it,
/// hob does not.
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
    if schema.get("default") == Some(&Value::Null) {
        schema.remove("default");
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
        // Draft 7 ignores siblings of a reference.
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
