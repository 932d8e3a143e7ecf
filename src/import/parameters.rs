//! Path, query and header parameters.

use indexmap::IndexMap;
use serde_json::Value;

use super::described::{Described, path_names};
use super::finding::FindingKind;
use super::listing::Hint;
use super::overlay::Overlay;
use super::schema::{REQUEST_DEPTH, Reading, shown};
use crate::catalog::{ArrayStyle, Parameter, Place};
use crate::value::{Kind, Shape};

/// The parameters of an operation.
pub(super) struct Found {
    /// Value of the version header.
    pub version: Option<String>,
    pub parameters: IndexMap<String, Parameter>,
}

/// Names of paging parameters; numbers even if described as text.
const PAGING_NAMES: [&str; 7] = ["limit", "skip", "offset", "page", "pageSize", "perPage", "pageLimit"];
/// Headers that every request has.
const OWN_HEADERS: [&str; 3] = ["authorization", "accept", "content-type"];

/// Reads the parameters of the operation and of its path.
pub(super) fn read(reading: &mut Reading<'_>, overlay: &Overlay, described: &Described<'_>) -> Found {
    let mut found = Found { version: None, parameters: IndexMap::new() };
    let mut version_declared = false;
    for declared in declared(reading, described) {
        let lower = declared.name.to_lowercase();
        match declared.place {
            "header" if overlay.version_header.as_ref().is_some_and(|own| own.to_lowercase() == lower) => {
                version_declared = true;
                found.version = version(&declared.parameter);
            }
            "header" if OWN_HEADERS.contains(&lower.as_str()) => {
                let required = declared.parameter.get("required") == Some(&Value::Bool(true));
                let mark = if required { "True" } else { "False" };
                reading.note(FindingKind::OtherHeader, format!("{} req={mark}", declared.name));
            }
            "header" => add(reading, &mut found.parameters, described, &declared, Place::Header),
            "query" => add(reading, &mut found.parameters, described, &declared, Place::Query),
            "path" => add(reading, &mut found.parameters, described, &declared, Place::Path),
            "cookie" => reading.note(FindingKind::CookieParam, declared.name.clone()),
            other => reading.note(FindingKind::ParamBroken, format!("{}: in {other}", declared.name)),
        }
    }
    if overlay.version_header.is_some() && !version_declared {
        reading.note(FindingKind::VersionMissing, "");
    }
    add_undeclared(reading, &mut found.parameters, described.path);
    found
}

/// A parameter with resolved references.
struct Declared {
    document: String,
    name: String,
    place: &'static str,
    parameter: Value,
}

/// All parameters in the order of the description; the operation's override the path's.
fn declared(reading: &mut Reading<'_>, described: &Described<'_>) -> Vec<Declared> {
    let mut all: IndexMap<(String, &'static str), Declared> = IndexMap::new();
    for owner in [described.item, described.operation] {
        for parameter in owner.get("parameters").and_then(Value::as_array).into_iter().flatten() {
            let documents = reading.documents;
            let found = match documents.resolve(described.document, parameter) {
                Ok(found) => found,
                Err(reference) => {
                    reading.note(FindingKind::RefBroken, reference);
                    continue;
                }
            };
            let name = found.value.get("name").and_then(Value::as_str);
            let place = found.value.get("in").and_then(Value::as_str).and_then(known_place);
            let (Some(name), Some(place)) = (name, place) else {
                reading.note(FindingKind::ParamBroken, shown(found.value));
                continue;
            };
            let declared = Declared {
                document: found.document.to_owned(),
                name: name.to_owned(),
                place,
                parameter: found.value.clone(),
            };
            all.insert((name.to_owned(), place), declared);
        }
    }
    all.into_values().collect()
}

fn known_place(place: &str) -> Option<&'static str> {
    ["path", "query", "header", "cookie"].into_iter().find(|known| *known == place)
}

/// `path`, `query` or `header`.
pub(super) fn place_name(place: Place) -> &'static str {
    match place {
        Place::Path => "path",
        Place::Query => "query",
        Place::Header => "header",
    }
}

fn version(parameter: &Value) -> Option<String> {
    let schema = parameter.get("schema").unwrap_or(&Value::Null);
    let listed = schema.get("enum").and_then(Value::as_array).and_then(|values| values.first());
    let value = listed
        .or(schema.get("const"))
        .or(schema.get("default"))
        .or(parameter.get("example"))
        .or(schema.get("example"))?;
    Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

fn add(
    reading: &mut Reading<'_>,
    parameters: &mut IndexMap<String, Parameter>,
    described: &Described<'_>,
    declared: &Declared,
    place: Place,
) {
    let name = &declared.name;
    if place == Place::Path && !described.path.contains(&format!("{{{name}}}")) {
        reading.note(FindingKind::PathParamUnused, name.clone());
        return;
    }
    let mut shape = shape(reading, declared);
    shape.required = declared.parameter.get("required") == Some(&Value::Bool(true));
    let style = style(reading, declared, &shape, place);
    match place {
        Place::Path => check_path(reading, name, &mut shape),
        Place::Query => correct_paging(reading, name, &mut shape),
        Place::Header => {}
    }
    let fact = |key: &str| declared.parameter.pointer(&format!("/schema/{key}")).and_then(Value::as_f64);
    let hint = Hint { default: fact("default"), minimum: fact("minimum") };
    reading.hints.insert(name.clone(), hint);
    let mut parameter = Parameter { place, wire: None, style, shape };
    let mut key = name.clone();
    if let Some(other) = parameters.get(name) {
        let places = format!("{name}: {} and {}", place_name(other.place), place_name(place));
        reading.note(FindingKind::NameTwice, places);
        parameter.wire = Some(name.clone());
        key = format!("{}_{name}", place_name(place));
    }
    parameters.insert(key, parameter);
}

fn shape(reading: &mut Reading<'_>, declared: &Declared) -> Shape {
    let parameter = &declared.parameter;
    if ["anyOf", "oneOf", "allOf", "enum", "type"].iter().any(|key| parameter.get(key).is_some()) {
        reading.note(FindingKind::ParamSchemaOutside, declared.name.clone());
    }
    let content = parameter.get("content").and_then(Value::as_object).and_then(|map| map.values().next());
    match parameter.get("schema").or_else(|| content.and_then(|media| media.get("schema"))) {
        Some(schema) => reading.shape(&declared.document, schema, REQUEST_DEPTH),
        None => Shape::new(Kind::String),
    }
}

fn check_path(reading: &mut Reading<'_>, name: &str, shape: &mut Shape) {
    if !shape.required {
        reading.note(FindingKind::PathParamOptional, name);
        shape.required = true;
    }
    if !shape.values.is_empty() {
        let values: Vec<String> =
            shape.values.iter().filter_map(Value::as_str).map(|v| format!("'{v}'")).collect();
        reading.note(FindingKind::PathParamEnum, format!("{name} [{}]", values.join(", ")));
    }
}

fn correct_paging(reading: &mut Reading<'_>, name: &str, shape: &mut Shape) {
    if PAGING_NAMES.contains(&name) && shape.kind == Kind::String && shape.values.is_empty() {
        reading.note(FindingKind::PagingText, name);
        *shape = Shape { required: shape.required, nullable: shape.nullable, ..Shape::new(Kind::Integer) };
    }
}

fn style(reading: &mut Reading<'_>, declared: &Declared, shape: &Shape, place: Place) -> ArrayStyle {
    if place == Place::Path {
        return ArrayStyle::default();
    }
    let style = declared.parameter.get("style").and_then(Value::as_str);
    let explode = declared.parameter.get("explode").and_then(Value::as_bool);
    match shape.kind {
        Kind::Array => {
            let word = |flag: Option<bool>| flag.map_or("None", |f| if f { "True" } else { "False" });
            let detail =
                format!("{} style={} explode={}", declared.name, style.unwrap_or("None"), word(explode));
            reading.note(FindingKind::QueryArray, detail);
            let exploded = explode.unwrap_or(place == Place::Query && style.is_none_or(|s| s == "form"));
            if exploded { ArrayStyle::Repeat } else { ArrayStyle::Comma }
        }
        Kind::Object => {
            reading.note(FindingKind::QueryObject, declared.name.clone());
            ArrayStyle::default()
        }
        _ => ArrayStyle::default(),
    }
}

fn add_undeclared(reading: &mut Reading<'_>, parameters: &mut IndexMap<String, Parameter>, path: &str) {
    for name in path_names(path) {
        let declared = parameters.get(&name).is_some_and(|parameter| parameter.place == Place::Path);
        if declared {
            continue;
        }
        reading.note(FindingKind::PathParamUndeclared, name.as_str());
        let shape = Shape { required: true, ..Shape::new(Kind::String) };
        let parameter = Parameter { place: Place::Path, wire: None, style: ArrayStyle::default(), shape };
        if let Some(mut other) = parameters.insert(name.clone(), parameter) {
            reading.note(FindingKind::NameTwice, format!("{name}: path and {}", place_name(other.place)));
            other.wire = Some(name.clone());
            parameters.insert(format!("{}_{name}", place_name(other.place)), other);
        }
    }
}
