//! The form: a field for each input of an operation.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::catalog::{Connector, Input, Operation};
use crate::request::input_from_text;
use crate::value::Kind;

/// What the names of fields begin with, so that no input is taken for a field of the page itself.
const PREFIX: &str = "with.";

/// A field.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Field {
    name: String,
    label: String,
    required: bool,
    /// Left empty, it is what the connection says.
    is_filled: bool,
    /// What it takes, such as `a JSON list`.
    takes: Option<String>,
    /// Whether it takes several lines.
    is_long: bool,
    value: String,
}

/// The fields of an operation, filled with an example.
pub(super) fn example(
    operation: &Operation,
    connector: &Connector,
    example: &Map<String, Value>,
) -> Vec<Field> {
    fields(operation, connector, |input| example.get(input.name).map(text).unwrap_or_default())
}

/// The fields of an operation as they were sent.
pub(super) fn sent(
    operation: &Operation,
    connector: &Connector,
    form: &HashMap<String, String>,
) -> Vec<Field> {
    let value = |input: &Input<'_>| form.get(&format!("{PREFIX}{}", input.name)).cloned();
    fields(operation, connector, |input| value(input).unwrap_or_default())
}

fn fields(operation: &Operation, connector: &Connector, value: impl Fn(&Input<'_>) -> String) -> Vec<Field> {
    let field = |input: &Input<'_>| Field {
        name: format!("{PREFIX}{}", input.name),
        label: input.name.to_owned(),
        required: input.shape.required && !connector.fills(input.name),
        is_filled: connector.fills(input.name),
        takes: takes(input),
        is_long: matches!(input.shape.kind, Kind::Object | Kind::Array),
        value: value(input),
    };
    let mut fields: Vec<Field> = operation.inputs().iter().map(field).collect();
    // What is filled or required comes first; the others can be opened.
    fields.sort_by_key(|field| (!field.required, field.value.is_empty()));
    fields
}

/// The inputs that a form says; empty fields are left out.
pub(super) fn inputs(
    operation: &Operation,
    form: &HashMap<String, String>,
) -> Result<Map<String, Value>, String> {
    let mut inputs = Map::new();
    for input in operation.inputs() {
        let Some(text) = form.get(&format!("{PREFIX}{}", input.name)) else { continue };
        // Lines of a form end as on the wire.
        let text = text.replace("\r\n", "\n");
        if text.trim().is_empty() {
            continue;
        }
        let value =
            input_from_text(&text, input.shape).map_err(|reason| format!("{}: {reason}", input.name))?;
        inputs.insert(input.name.to_owned(), value);
    }
    Ok(inputs)
}

fn takes(input: &Input<'_>) -> Option<String> {
    if !input.shape.values.is_empty() {
        let values: Vec<String> = input.shape.values.iter().map(text).collect();
        return Some(format!("one of {}", values.join(", ")));
    }
    let kind = match input.shape.kind {
        Kind::Object => "a JSON object",
        Kind::Array => "a JSON list, or texts with commas between them",
        Kind::Integer => "a whole number",
        Kind::Number => "a number",
        Kind::Boolean => "true or false",
        Kind::String | Kind::Any => return input.shape.format.clone(),
    };
    Some(kind.to_owned())
}

/// A value as it is typed.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(_) | Value::Array(_) => format!("{value:#}"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use serde_json::json;

    #[test]
    fn what_the_form_shows_is_what_is_sent() {
        let catalog = Catalog::built_in();
        let operation = catalog.operation("contacts.upsert").unwrap();
        let given = json!({ "email": "ada@example.com", "tags": ["a", "b"], "firstName": "007" });
        let given = given.as_object().unwrap();
        let connector = catalog.connector(&operation.connector).unwrap();
        let fields = example(operation, connector, given);
        let form: HashMap<String, String> =
            fields.iter().map(|field| (field.name.clone(), field.value.clone())).collect();
        assert_eq!(&inputs(operation, &form).unwrap(), given);
        assert_eq!(sent(operation, connector, &form), fields);
        let location = fields.iter().find(|field| field.label == "locationId").unwrap();
        assert!(location.is_filled && !location.required, "{location:?}");
        let broken = HashMap::from([("with.customFields".to_owned(), "[{".to_owned())]);
        assert!(inputs(operation, &broken).unwrap_err().starts_with("customFields: takes a JSON list"));
    }
}
