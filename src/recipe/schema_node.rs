//! Reads the parts of our schemas that validation and editors need.

use serde_json::{Map, Value};

use crate::source::{Data, Node};

/// Follows a reference; our schemas have no chains of them.
pub fn resolve(root: &'static Value, schema: &'static Value) -> &'static Value {
    let mut at = schema;
    loop {
        let only = at.get("allOf").and_then(|all| all.get(0)).unwrap_or(at);
        let Some(name) = only.get("$ref").and_then(Value::as_str) else { return at };
        let name = name.rsplit('/').next().unwrap_or_default();
        let Some(next) = root.get("definitions").and_then(|all| all.get(name)) else {
            return at;
        };
        at = next;
    }
}

/// The variants, if there are several.
pub fn branches(schema: &'static Value) -> Option<&'static [Value]> {
    schema.get("anyOf").or(schema.get("oneOf"))?.as_array().map(Vec::as_slice)
}

/// The listed fields.
pub fn fields(schema: &'static Value) -> Option<&'static Map<String, Value>> {
    schema.get("properties")?.as_object()
}

/// Their names.
pub fn field_names(schema: &'static Value) -> impl Iterator<Item = &'static str> {
    fields(schema).into_iter().flat_map(|fields| fields.keys().map(String::as_str))
}

/// The schema of the field `name`, listed or not.
pub fn field(schema: &'static Value, name: &str) -> Option<&'static Value> {
    let listed = fields(schema).and_then(|fields| fields.get(name));
    listed.or_else(|| schema.get("additionalProperties").filter(|inner| inner.is_object()))
}

/// The field whose value distinguishes the variants, if there is one.
pub fn tag(branches: &[&'static Value]) -> Option<&'static str> {
    field_names(branches.first()?).find(|name| branches.iter().all(|branch| word_of(branch, name).is_some()))
}

/// The literal value of the field `name` in a variant.
pub fn word_of(branch: &'static Value, name: &str) -> Option<&'static str> {
    fields(branch)?.get(name)?.get("const")?.as_str()
}

/// Whether fields that are not listed are refused.
pub fn closed(schema: &Value) -> bool {
    schema.get("additionalProperties") == Some(&Value::Bool(false))
}

/// The fields that must be there.
pub fn required(schema: &Value) -> impl Iterator<Item = &str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// Whether `node` has a type that `schema` takes.
pub fn accepts(root: &'static Value, schema: &'static Value, node: &Node) -> bool {
    if let Some(branches) = branches(schema) {
        return branches.iter().any(|branch| accepts(root, resolve(root, branch), node));
    }
    match schema.get("type") {
        None => true,
        Some(Value::Array(types)) => types.iter().filter_map(Value::as_str).any(|t| is(t, &node.value)),
        Some(name) => name.as_str().is_some_and(|name| is(name, &node.value)),
    }
}

/// Whether `data` is of the type `name`.
pub fn is(name: &str, data: &Data) -> bool {
    match data {
        Data::Null => name == "null",
        Data::Bool(_) => name == "boolean",
        Data::Int(_) => name == "integer" || name == "number",
        Data::Float(_) => name == "number",
        Data::Text(_) => name == "string",
        Data::List(_) => name == "array",
        Data::Map(_) => name == "object",
    }
}
