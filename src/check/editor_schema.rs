//! The JSON Schema of recipes for editors: the structure, and the inputs of each operation.

use indexmap::IndexMap;
use serde_json::{Map, Value, json};
use sha2::Digest;

use crate::catalog::{Catalog, Connector, ListWindow, Operation};
use crate::recipe;
use crate::value::{Kind, Shape};

/// Another number for each change of this file that makes another schema from the same operations.
const WRITTEN_AS: u32 = 3;
/// Definition for text with an expression.
const TEMPLATE: &str = "Expression";
/// Definition for the name of a list of parents.
const PARENTS: &str = "Parents";
/// Shapes with a shorter JSON text are inlined.
const SHORT: usize = 60;

/// The schema of recipes for `catalog`, draft 7.
pub fn schema(catalog: &Catalog) -> Value {
    let mut writer = Writer { shapes: IndexMap::new(), inputs: Map::new() };
    let actions = writer.by_operation(catalog, "do", &Operation::is_action, false);
    let polls = writer.by_operation(catalog, "poll", &Operation::is_poller, true);
    let mut schema = json!({ "$comment": made_from(catalog) });
    let mut definitions = Map::new();
    for (name, structure) in [("Recipe", recipe::schema()), ("SyncRecipe", recipe::sync_schema())] {
        let Value::Object(mut structure) = structure.clone() else { continue };
        for (inner, definition) in
            structure.remove("definitions").iter().filter_map(Value::as_object).flatten()
        {
            definitions.entry(inner.clone()).or_insert_with(|| definition.clone());
        }
        if let Some(draft) = structure.remove("$schema") {
            schema["$schema"] = draft;
        }
        definitions.insert(name.to_owned(), Value::Object(structure));
    }
    let ids = |fits: fn(&Operation) -> bool| -> (Vec<&str>, Vec<&str>) {
        let fitting = catalog.operations().filter(|operation| fits(operation));
        fitting.map(|operation| (operation.id.as_str(), operation.summary.as_str())).unzip()
    };
    for (holder, field, cases, (ids, summaries)) in [
        ("Action", "do", actions, ids(Operation::is_action)),
        ("Poll", "poll", polls, ids(Operation::is_poller)),
    ] {
        let Some(Value::Object(definition)) = definitions.get_mut(holder) else { continue };
        if ids.is_empty() {
            continue;
        }
        if let Some(name) = definition.get_mut("properties").and_then(|fields| fields.get_mut(field)) {
            *name = one_of(&ids, &summaries);
        }
        definition.insert("allOf".into(), Value::Array(cases));
    }
    let (pollers, summaries) = ids(Operation::is_poller);
    if !pollers.is_empty() {
        definitions.insert(PARENTS.into(), one_of(&pollers, &summaries));
        for (holder, place) in [("Over", "/properties/poll"), ("OverText", "/anyOf/0")] {
            let name = definitions.get_mut(holder).and_then(|holder| holder.pointer_mut(place));
            name.into_iter().for_each(|name| *name = reference(PARENTS));
        }
    }
    definitions.insert(
        TEMPLATE.into(),
        json!({ "type": "string", "pattern": r"\{[{%#]", "description": "A template, as in {{ event.email }}." }),
    );
    definitions.extend(writer.inputs);
    for (text, name) in writer.shapes {
        definitions.insert(name, serde_json::from_str(&text).unwrap_or_default());
    }
    // Editors complete the fields of an ordinary recipe until there is a `sync`.
    schema["if"] = json!({ "type": "object", "required": ["sync"] });
    schema["then"] = reference("SyncRecipe");
    schema["else"] = reference("Recipe");
    schema["definitions"] = Value::Object(definitions);
    schema
}

/// The schema as stored in a file: one line per field and definition, for readable diffs.
pub fn schema_text(catalog: &Catalog) -> String {
    let Value::Object(parts) = schema(catalog) else { return String::new() };
    let lines: Vec<String> =
        parts.iter().map(|(name, part)| format!("{:?}: {}", name, lines_of(part))).collect();
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}

/// What the file begins with: enough to see whether it is the schema over `catalog`, without making that, which reads
/// every operation.
pub fn schema_head(catalog: &Catalog) -> String {
    format!("{{\n\"$comment\": {},\n", json!(made_from(catalog)))
}

/// A hash of all that the schema is made from.
fn made_from(catalog: &Catalog) -> String {
    let mut hash = catalog.fingerprint();
    hash.update(WRITTEN_AS.to_be_bytes());
    hash.update(recipe::schema().to_string());
    hash.update(recipe::sync_schema().to_string());
    format!("made from {}", hex::encode(hash.finalize()))
}

fn lines_of(part: &Value) -> String {
    let Value::Object(entries) = part else { return part.to_string() };
    let lines: Vec<String> = entries.iter().map(|(name, entry)| format!("  {name:?}: {entry}")).collect();
    format!("{{\n{}\n}}", lines.join(",\n"))
}

/// One of `ids`. Editors would print all values of an `enum` in every message and hover, so the names are a pattern,
/// with separate examples for completion. Summaries are attached to the inputs of the operation.
fn one_of(ids: &[&str], summaries: &[&str]) -> Value {
    let snippet = |(id, summary): (&&str, &&str)| json!({ "label": id, "description": summary, "body": id });
    let escaped: Vec<String> = ids.iter().map(|id| regex::escape(id)).collect();
    json!({
        "type": "string",
        "pattern": format!("^(?:{})$", escaped.join("|")),
        "patternErrorMessage": "no operation that can stand here is called so; `hob catalog list` lists them, and `hob validate` suggests the nearest",
        "defaultSnippets": ids.iter().zip(summaries).map(snippet).collect::<Vec<_>>(),
    })
}

/// The condition that `field` is present and matches.
fn matches(field: &str, pattern: &str) -> Value {
    json!({
        "type": "object",
        "required": [field],
        "properties": { field: { "type": "string", "pattern": pattern } }
    })
}

struct Writer {
    /// Shapes with a definition: JSON text → name.
    shapes: IndexMap<String, String>,
    /// Inputs of operations.
    inputs: Map<String, Value>,
}

impl Writer {
    /// For each operation: if `field` names it, its inputs. Editors evaluate every condition for every step, so
    /// operations are grouped by the first word of their ids. While a user is typing, they treat a prefix of a
    /// `const` as a match, and a missing field as well: hence patterns, and `required` in the conditions.
    fn by_operation(
        &mut self,
        catalog: &Catalog,
        field: &str,
        fits: &dyn Fn(&Operation) -> bool,
        polls: bool,
    ) -> Vec<Value> {
        let mut groups: IndexMap<&str, Vec<Value>> = IndexMap::new();
        for operation in catalog.operations().filter(|operation| fits(operation)) {
            let connector = catalog.connector(&operation.connector);
            let inputs = self.inputs_of(operation, connector.map(|connector| &**connector), polls);
            let needed = inputs.get("required").is_some();
            let name = format!("{field}.{}", operation.id);
            let about = json!({ "description": operation.summary });
            let mut then = json!({ "properties": { field: about, "with": reference(&name) } });
            if needed {
                then["required"] = json!(["with"]);
            }
            let mut condition = matches(field, &format!("^{}$", regex::escape(&operation.id)));
            if !polls && connector.is_some_and(|connector| connector.versions.change(&operation.id)) {
                // Another version has other inputs, which only the checker knows.
                condition["not"] = json!({ "required": ["version"] });
            }
            let group = operation.id.split('.').next().unwrap_or_default();
            groups.entry(group).or_default().push(json!({ "if": condition, "then": then }));
            self.inputs.insert(name, inputs);
        }
        let group = |(name, cases): (&str, Vec<Value>)| {
            let condition = matches(field, &format!("^{}(\\.|$)", regex::escape(name)));
            json!({ "if": condition, "then": { "allOf": cases } })
        };
        groups.into_iter().map(group).collect()
    }

    fn inputs_of(&mut self, operation: &Operation, connector: Option<&Connector>, polls: bool) -> Value {
        let managed = match &operation.list {
            Some(list) if polls => list.paging_inputs(),
            _ => Vec::new(),
        };
        // A poll moves the window of time of a list along.
        let window = operation.list.as_ref().and_then(|list| list.window.as_ref()).filter(|_| polls);
        let moved: Vec<&str> = window.into_iter().flat_map(ListWindow::inputs).collect();
        let filled = |name: &str| {
            connector.is_some_and(|connector| {
                let fills = |filled: &Vec<String>| filled.iter().any(|filled| filled == name);
                connector.constants.contains_key(name)
                    || connector.settings.values().any(|setting| fills(&setting.fills))
            })
        };
        let mut properties = Map::new();
        let mut required = Vec::new();
        for input in operation.inputs().into_iter().filter(|input| !managed.contains(&input.name)) {
            if input.shape.required && !filled(input.name) && !moved.contains(&input.name) {
                required.push(input.name);
            }
            properties.insert(input.name.to_owned(), self.shape(input.shape));
        }
        let mut inputs =
            json!({ "type": "object", "description": operation.summary, "properties": properties });
        if !operation.takes_any_input() {
            inputs["additionalProperties"] = Value::Bool(false);
        }
        if !required.is_empty() {
            inputs["required"] = json!(required);
        }
        if !operation.one_of.is_empty() && !operation.one_of.iter().any(|name| filled(name)) {
            let one = |name: &String| json!({ "required": [name] });
            inputs["anyOf"] = operation.one_of.iter().map(one).collect();
        }
        inputs
    }

    /// The schema of a value of `shape`, or a template.
    fn shape(&mut self, shape: &Shape) -> Value {
        let schema = self.exact(shape);
        let text = schema.to_string();
        if text.len() <= SHORT {
            return schema;
        }
        let next = format!("shape.{}", self.shapes.len() + 1);
        let name = self.shapes.entry(text).or_insert(next);
        reference(name)
    }

    fn exact(&mut self, shape: &Shape) -> Value {
        if !shape.any_of.is_empty() {
            let mut all: Vec<Value> = shape.any_of.iter().map(|inner| self.shape(inner)).collect();
            if shape.nullable {
                all.push(json!({ "type": "null" }));
            }
            return json!({ "anyOf": all });
        }
        if !shape.values.is_empty() {
            let mut values = shape.values.clone();
            if shape.nullable && !values.contains(&Value::Null) {
                values.push(Value::Null);
            }
            return json!({ "anyOf": [{ "enum": values }, reference(TEMPLATE)] });
        }
        let name = match shape.kind {
            Kind::Any => return json!({}),
            Kind::String => "string",
            Kind::Integer => "integer",
            Kind::Number => "number",
            Kind::Boolean => "boolean",
            Kind::Object => "object",
            Kind::Array => "array",
        };
        let mut schema = json!({ "type": if shape.nullable { json!([name, "null"]) } else { json!(name) } });
        if let Some(maximum) = shape.maximum {
            schema["maximum"] = json!(maximum);
        }
        match shape.kind {
            Kind::String => return schema,
            Kind::Array => {
                if let Some(items) = &shape.items {
                    schema["items"] = self.shape(items);
                }
            }
            Kind::Object => self.fields(shape, &mut schema),
            _ => {}
        }
        json!({ "anyOf": [schema, reference(TEMPLATE)] })
    }

    fn fields(&mut self, shape: &Shape, schema: &mut Value) {
        let mut fields: Map<String, Value> =
            shape.fields.iter().map(|(name, inner)| (name.clone(), self.shape(inner))).collect();
        for (other, name) in &shape.also {
            if let Some(inner) = shape.fields.get(name) {
                fields.insert(other.clone(), self.shape(inner));
            }
        }
        let required = shape.fields.iter().filter(|(_, inner)| inner.required).map(|(name, _)| name);
        let (several, one): (Vec<&String>, Vec<&String>) =
            required.partition(|name| shape.also.values().any(|own| own == *name));
        if !one.is_empty() {
            schema["required"] = json!(one);
        }
        let mut choices: Vec<Value> =
            several.iter().map(|name| any_name(shape, &[(*name).clone()])).collect();
        if !shape.one_of.is_empty() {
            choices.push(any_name(shape, &shape.one_of));
        }
        if !choices.is_empty() {
            schema["allOf"] = Value::Array(choices);
        }
        if let Some(entries) = &shape.entries {
            schema["additionalProperties"] = self.shape(entries);
        } else if !shape.is_open() {
            schema["additionalProperties"] = Value::Bool(false);
        }
        if !fields.is_empty() {
            schema["properties"] = Value::Object(fields);
        }
    }
}

/// An object with one of `names` or their aliases.
fn any_name(shape: &Shape, names: &[String]) -> Value {
    let others = shape.also.iter().filter(|(_, own)| names.contains(own)).map(|(other, _)| other);
    let all: Vec<Value> = names.iter().chain(others).map(|name| json!({ "required": [name] })).collect();
    json!({ "anyOf": all })
}

/// A reference to a definition. Names need no escaping.
fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/definitions/{name}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog() -> Catalog {
        let mut catalog = Catalog::default();
        let files = [
            (
                "x/connector.yaml",
                "connector: x\ntitle: X\nabout: An example.\nsettings: { place: { title: Place, fills: [placeId] } }\n",
            ),
            (
                "x/operations.yaml",
                "operations:\n  things.create:\n    title: T\n    summary: Makes a thing.\n    kinds: [action]\n    body:\n      shape:\n        type: object\n        fields:\n          placeId: { type: string, required: true }\n          name: { type: string, required: true }\n          kind: { type: string, enum: [big, small] }\n          count: { type: integer, maximum: 9 }\n",
            ),
        ];
        let files = files.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect();
        catalog.add_folder("x", files).unwrap();
        catalog
    }

    #[test]
    fn the_text_is_the_same_schema() {
        let read: Value = serde_json::from_str(&schema_text(&catalog())).unwrap();
        assert_eq!(read, schema(&catalog()));
    }

    fn accepts(with: Value) -> bool {
        let schema = schema(&catalog());
        let recipe = json!({ "name": "a", "trigger": { "manual": {} }, "actions": [{ "do": "things.create", "with": with }] });
        jsonschema::is_valid(&schema, &recipe)
    }

    #[test]
    fn no_field_lists_all_operations_in_what_editors_show() {
        let schema = schema(&Catalog::built_in());
        for (holder, field) in [("Action", "do"), ("Poll", "poll")] {
            let name = &schema["definitions"][holder]["properties"][field];
            assert!(name.get("enum").is_none() && name.get("description").is_none(), "{field}");
            assert!(name["patternErrorMessage"].as_str().is_some_and(|message| message.len() < 200));
            assert!(name["defaultSnippets"].as_array().is_some_and(|all| all.len() > 100), "{field}");
        }
    }

    fn names(operation: &str) -> bool {
        let recipe = json!({ "name": "a", "trigger": { "manual": {} }, "actions": [{ "do": operation, "with": { "name": "a" } }] });
        jsonschema::is_valid(&schema(&catalog()), &recipe)
    }

    #[test]
    fn only_operations_that_exist_are_taken() {
        assert!(names("things.create"));
        assert!(!names("things.creat") && !names("things.create2") && !names("thingsXcreate"));
    }

    #[test]
    fn inputs_are_those_of_the_operation_and_templates_stand_anywhere() {
        assert!(accepts(json!({ "name": "a", "kind": "big", "count": 3 })));
        assert!(accepts(json!({ "name": "{{ a }}", "kind": "{{ b }}", "count": "{{ c }}" })));
        assert!(!accepts(json!({ "kind": "big" })), "name is missing");
        assert!(!accepts(json!({ "name": "a", "kind": "huge" })));
        assert!(!accepts(json!({ "name": "a", "count": "many" })));
        assert!(!accepts(json!({ "name": "a", "colour": "red" })));
    }
}
