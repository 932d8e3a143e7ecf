//! The catalog's requests match the official description: values generated from our shapes are valid there, required
//! parameters are known here, and methods and paths are the same.

use std::collections::BTreeMap;
use std::path::Path;

use hob::catalog::{Catalog, Operation, Place};
use hob::value::{Kind, Shape};
use serde_json::{Map, Value, json};

/// Documents by file name, if a developer has put them beside the repository.
fn documents() -> Option<BTreeMap<String, Value>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/openapi/highlevel-v2");
    let mut documents = BTreeMap::new();
    for entry in std::fs::read_dir(&root).into_iter().flatten().flatten() {
        let text = std::fs::read_to_string(entry.path()).expect("a readable description");
        let mut document: Value = serde_json::from_str(&text).expect("a description in JSON");
        without_artefacts(&mut document);
        documents.insert(entry.file_name().to_string_lossy().into_owned(), document);
    }
    if documents.is_empty() {
        eprintln!("SKIPPED: no descriptions under {}", root.display());
        return None;
    }
    Some(documents)
}

/// A value with everything in the shape.
fn full(name: &str, shape: &Shape) -> Value {
    if let Some(first) = shape.values.first() {
        return first.clone();
    }
    if let Some(first) = shape.any_of.first() {
        return full(name, first);
    }
    match shape.kind {
        Kind::Any | Kind::String => json!(match shape.format.as_deref() {
            Some("date-time") => "2026-12-01T10:00:00Z",
            Some("date") => "2026-12-01",
            Some("email") => "ada@example.com",
            Some("uri" | "url") => "https://example.com",
            _ if name.to_lowercase().contains("email") => "ada@example.com",
            _ => "some text",
        }),
        Kind::Integer | Kind::Number => {
            json!(10.min(shape.maximum.unwrap_or(10)).max(shape.minimum.unwrap_or(0)))
        }
        Kind::Boolean => json!(true),
        Kind::Array => json!(shape.items.iter().map(|items| full(name, items)).collect::<Vec<_>>()),
        Kind::Object => {
            let fields = shape.fields.iter().map(|(name, field)| (name.clone(), full(name, field)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
    }
}

fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => document.pointer(pointer).unwrap_or(&Value::Null),
        None => value,
    }
}

/// Removes systematic errors of the description's generator: `object` for unknown types (an example or default shows
/// the real type), a number's type for an enum of texts; and patterns, which shapes do not have.
fn without_artefacts(value: &mut Value) {
    if let Value::Object(map) = value {
        if let Some([Value::Array(inner)]) = map.get("enum").and_then(Value::as_array).map(Vec::as_slice) {
            let inner = inner.clone();
            map.insert("enum".into(), inner.into());
        }
        let sample = map.get("default").or(map.get("example"));
        let unknown = map.get("type") == Some(&json!("object"))
            && !map.contains_key("properties")
            && sample.is_some_and(|sample| !sample.is_object() && !sample.is_null());
        let texts = |values: &Vec<Value>| values.iter().all(Value::is_string);
        let mistyped = map.get("type") == Some(&json!("number"))
            && map.get("enum").and_then(Value::as_array).is_some_and(texts);
        if unknown || mistyped {
            map.remove("type");
        }
        if map.get("pattern").is_some_and(Value::is_string) {
            map.remove("pattern");
        }
        map.values_mut().for_each(without_artefacts);
    } else if let Value::Array(list) = value {
        list.iter_mut().for_each(without_artefacts);
    }
}

/// Errors of the official schema for `value`.
fn complaints(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let whole = json!({ "allOf": [schema], "components": document["components"] });
    match jsonschema::draft4::options().build(&whole) {
        Ok(validator) => {
            validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
        }
        Err(error) => vec![format!("the schema itself: {error}")],
    }
}

fn body_complaints(operation: &Operation, document: &Value, described: &Value) -> Vec<String> {
    let request = resolve(document, &described["requestBody"]);
    let content = request["content"].as_object().and_then(|content| content.values().next());
    match (&operation.body, content.and_then(|media| media.get("schema"))) {
        (Some(body), Some(schema)) => {
            let mut found = complaints(document, schema, &full("", &body.shape));
            // The description has lists of lists there, which we treat as lists.
            found.retain(|complaint| {
                !is_doubtful(&body.shape) || !complaint.ends_with("is not of type \"array\"")
            });
            found
        }
        (None, Some(_)) => vec!["the description has a body".into()],
        (Some(_), None) if content.is_none() => vec!["the description has no body".into()],
        _ => vec![],
    }
}

/// Whether the shape, or a part of it, is marked as doubtful.
fn is_doubtful(shape: &Shape) -> bool {
    let parts = shape.fields.values().chain(shape.items.as_deref()).chain(shape.entries.as_deref());
    shape.doubtful || parts.chain(&shape.any_of).any(is_doubtful)
}

fn parameter_complaints(operation: &Operation, document: &Value, described: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    for declared in described["parameters"].as_array().into_iter().flatten() {
        let declared = resolve(document, declared);
        let (name, place) = (declared["name"].as_str().unwrap_or(""), declared["in"].as_str().unwrap_or(""));
        let ours = operation.parameters.iter().find(|(key, parameter)| {
            let at = match parameter.place {
                Place::Path => "path",
                Place::Query => "query",
                Place::Header => "header",
            };
            at == place && parameter.wire.as_deref().unwrap_or(key) == name
        });
        match ours {
            Some((_, parameter)) => {
                if declared["required"] == json!(true) && !parameter.shape.required {
                    complaints.push(format!("{name} is required"));
                }
                let value = full(name, &parameter.shape);
                // Numbers are text in a query, so text that parses as the number is equal.
                let schema = resolve(document, &declared["schema"]);
                let sent = match schema["type"].as_str() {
                    Some("string") if value.is_number() => Value::String(value.to_string()),
                    Some("any") => continue,
                    _ => value,
                };
                complaints.extend(self::complaints(document, schema, &sent));
            }
            None if name == "Version" => {
                let wanted = declared.pointer("/schema/enum/0").and_then(Value::as_str);
                if operation.version.as_deref() != wanted {
                    complaints.push(format!("version {wanted:?}"));
                }
            }
            None if name == "Authorization" => {}
            None => complaints.push(format!("{name} is not known")),
        }
    }
    complaints
}

#[test]
fn requests_made_from_our_shapes_are_valid_in_the_official_description() {
    let Some(documents) = documents() else { return };
    let catalog = Catalog::built_in();
    let own = catalog.operations().filter(|o| o.connector == "highlevel" && o.composite.is_empty());
    let by_call: BTreeMap<(String, &str), _> =
        own.map(|operation| ((operation.method.to_lowercase(), &*operation.path), operation)).collect();
    let (mut checked, mut wrong) = (0, Vec::new());
    for (file, document) in &documents {
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, described) in item.as_object().into_iter().flatten() {
                let Some(operation) = by_call.get(&(method.clone(), path.as_str())) else {
                    wrong.push(format!("{file}: {method} {path} is not in the catalog"));
                    continue;
                };
                checked += 1;
                let mut complaints = parameter_complaints(operation, document, described);
                complaints.extend(body_complaints(operation, document, described));
                wrong
                    .extend(complaints.into_iter().map(|complaint| format!("{}: {complaint}", operation.id)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(checked, by_call.len());
}
