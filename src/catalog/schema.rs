//! The JSON Schema of connector files, generated from their types.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::load::{EventsFile, OperationsFile};
use super::{Connector, FileKind, Versions};
use crate::value::schema_of;

static SCHEMA: LazyLock<Value> = LazyLock::new(generate);

/// The structure of a connector's files as JSON Schema, draft 7. Files with `operations` and `events` have their own
/// schemas; any other is the connector itself.
pub fn schema() -> &'static Value {
    &SCHEMA
}

/// The structure of one kind of file; `None` for kinds outside the catalog.
pub fn form(kind: FileKind) -> Option<&'static Value> {
    static FORMS: LazyLock<[Value; 4]> = LazyLock::new(|| {
        [
            schema_of::<Connector>(),
            schema_of::<OperationsFile>(),
            schema_of::<EventsFile>(),
            schema_of::<Versions>(),
        ]
    });
    match kind {
        FileKind::Connector => Some(&FORMS[0]),
        FileKind::Operations => Some(&FORMS[1]),
        FileKind::Events => Some(&FORMS[2]),
        FileKind::Versions => Some(&FORMS[3]),
        FileKind::Overlay | FileKind::Sandbox => None,
    }
}

fn generate() -> Value {
    let mut all = schema_of::<(Connector, OperationsFile, EventsFile, Versions)>();
    let has = |field: &str| json!({ "required": [field] });
    let form = |condition: Value, name: &str| json!({ "if": condition, "then": { "$ref": format!("#/definitions/{name}") } });
    json!({
        "$schema": all["$schema"],
        "title": "connector file",
        "description": "A connector is a folder of YAML files: `connector.yaml` says where the API is and how it \
            speaks, `events.yaml` which webhook events it sends, `versions.yaml` what other \
            versions of the API change, every other file what operations it has.",
        "allOf": [
            form(json!({ "not": { "anyOf": [has("operations"), has("events"), has("versions")] } }), "Connector"),
            form(has("operations"), "OperationsFile"),
            form(has("events"), "EventsFile"),
            form(has("versions"), "Versions"),
        ],
        "definitions": all["definitions"].take(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(yaml: &str) -> bool {
        let file: Value = serde_yaml::from_str(yaml).expect("YAML");
        jsonschema::is_valid(schema(), &file)
    }

    #[test]
    fn each_file_is_held_against_its_own_form() {
        assert!(accepts("connector: x\ntitle: X\nabout: An example."));
        assert!(!accepts("connector: x\ntitle: X"), "about is missing");
        assert!(accepts(
            "operations: { x.list: { title: T, summary: S., kinds: [action], method: GET, path: /x } }"
        ));
        assert!(!accepts("operations: { x.list: { title: T, summary: S., kinds: [cook] } }"));
        assert!(accepts("events: { made: { title: Made, id: [$.id] } }"));
        assert!(!accepts("events: { made: { title: Made } }"), "id is missing");
    }
}
