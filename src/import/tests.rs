//! The import of small documents: facts, defects, and robustness.

use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_oneof, proptest};
use serde_json::{Value, json};

use super::{Document, Error, Imported, import};
use crate::catalog::{ArrayStyle, Catalog, Effect, Encoding, Operation, Paging, Place};
use crate::value::Kind;

const CONNECTOR: &str = "connector: shop\ntitle: Shop\nabout: A shop.";

fn imported(document: &Value, overlay: Option<&str>) -> Imported {
    let text = document.to_string();
    import(&[Document { path: "shop.json", text: &text }], overlay, "").expect("an import")
}

/// The operation `id`, read back from the files.
fn operation(imported: &Imported, id: &str) -> Operation {
    let mut files = imported.files.clone();
    files.push(("connector.yaml".into(), CONNECTOR.into()));
    let mut catalog = Catalog::default();
    catalog.add_folder("shop", files).expect("connector files that load");
    let ids: Vec<&str> = catalog.ids().collect();
    let found = catalog.operation(id).unwrap_or_else(|| panic!("no {id} among {ids:?}"));
    Operation::clone(found)
}

fn found(imported: &Imported, kind: &str) -> bool {
    imported.report.findings.iter().any(|finding| finding.kind.name() == kind)
}

fn document(paths: Value) -> Value {
    json!({
        "openapi": "3.1.0",
        "paths": paths,
        "components": { "schemas": {
            "Pet": { "type": "object", "required": ["name", "ghost"], "properties": {
                "id": { "type": "string" },
                "name": { "type": ["string", "null"] },
                "kind": { "type": "string", "enum": ["cat", "dog", 3] },
                "updatedAt": { "type": "string", "format": "date-time" },
                "mother": { "$ref": "#/components/schemas/Pet" },
                "any": { "type": "object", "example": "text" }
            } }
        } }
    })
}

fn shop() -> Value {
    document(json!({
        "/pets": {
            "parameters": [{ "name": "X-Tenant", "in": "header", "schema": { "type": "string" } }],
            "get": {
                "operationId": "listPets",
                "parameters": [
                    { "name": "limit", "in": "query", "schema": { "type": "string" } },
                    { "name": "skip", "in": "query", "schema": { "type": "integer" } },
                    { "name": "ids", "in": "query", "explode": false,
                      "schema": { "type": "array", "items": { "type": "string" } } },
                    { "name": "session", "in": "cookie", "schema": { "type": "string" } }
                ],
                "responses": { "200": { "content": { "application/json": { "schema": {
                    "type": "object",
                    "properties": {
                        "pets": { "type": "array", "items": { "$ref": "#/components/schemas/Pet" } },
                        "total": { "type": "integer" }
                    } } } } } }
            },
            "post": {
                "requestBody": { "content": { "application/json": {
                    "schema": { "$ref": "#/components/schemas/Pet" } } } },
                "responses": { "201": { "description": "" } }
            }
        },
        "/pets/{petId}/photo": {
            "put": {
                "parameters": [{ "name": "petId", "in": "query", "schema": { "type": "string" } }],
                "requestBody": { "required": true, "content": { "multipart/form-data": { "schema": {
                    "type": "object", "properties": { "file": { "type": "string", "format": "binary" } } } } } },
                "responses": {}
            },
            "get": { "responses": { "200": { "content": { "image/png": {} } } } }
        }
    }))
}

#[test]
fn lists_become_pollers() {
    let imported = imported(&shop(), None);
    let list = operation(&imported, "pets.list");
    let facts = list.list.as_ref().expect("list facts");
    assert!(list.is_poller() && list.is_action());
    assert_eq!(facts.items, ["$.pets[*]"]);
    assert_eq!(facts.id, ["id"]);
    assert_eq!(facts.updated.as_deref(), Some("updatedAt"));
    assert!(
        matches!(&facts.paging, Paging::Offset { offset, limit, .. } if offset == "skip" && limit == "limit")
    );
    assert_eq!(list.parameters["limit"].shape.kind, Kind::Integer);
    assert_eq!(list.parameters["ids"].style, ArrayStyle::Comma);
    assert_eq!(list.parameters["X-Tenant"].place, Place::Header);
    assert_eq!((imported.report.pollers, imported.report.pollers_certain), (1, 1));
}

#[test]
fn bodies_keep_their_facts_and_lose_their_defects() {
    let imported = imported(&shop(), None);
    let create = operation(&imported, "pets.create");
    assert_eq!(create.effect, Effect::Create);
    let body = create.body.expect("a body");
    let name = &body.shape.fields["name"];
    assert!(name.required && name.nullable && name.kind == Kind::String);
    assert_eq!(body.shape.fields["kind"].values, [json!("cat"), json!("dog")]);
    assert_eq!(body.shape.fields["any"].kind, Kind::String);
    assert_eq!(body.shape.fields["mother"].kind, Kind::Any);
    assert_eq!(create.example.get("name"), Some(&json!("name")));
    for kind in ["cyclic $ref", "enum value of another type", "required field not in schema", "cookie param"]
    {
        assert!(found(&imported, kind), "{kind} is not reported");
    }
}

#[test]
fn files_go_up_and_come_down() {
    let imported = imported(&shop(), None);
    let upload = operation(&imported, "pets.photo.update");
    assert_eq!(upload.body.map(|body| body.encoding), Some(Encoding::Multipart));
    assert_eq!(upload.parameters["petId"].place, Place::Path);
    assert_eq!(upload.parameters["query_petId"].wire.as_deref(), Some("petId"));
    assert_eq!(operation(&imported, "pets.photo.get").download.as_deref(), Some("image/png"));
}

#[test]
fn the_overlay_takes_precedence() {
    let overlay = "
version_header: X-Tenant
schemas:
  shop.json#Pet: { fields: { id: null, age: { type: integer, required: true } } }
operations:
  animals.add:
    from: POST /pets
    title: Add animal
    summary: Adds an animal.
    effect: idempotent
    body: { shape: { fields: { name: { type: any } } } }
  animals.ghosts: { from: GET /ghosts, title: Ghosts, summary: None. }
";
    let imported = imported(&shop(), Some(overlay));
    let add = operation(&imported, "animals.add");
    assert_eq!((add.title.as_str(), add.effect), ("Add animal", Effect::Idempotent));
    let fields = add.body.expect("a body").shape.fields;
    assert!(fields["age"].required && !fields.contains_key("id"));
    assert_eq!(fields["name"].kind, Kind::Any);
    assert!(found(&imported, "overlay entry without operation"));
    assert!(imported.files.iter().all(|(_, text)| !text.contains("pets.create")));
}

#[test]
fn says_what_is_wrong_with_the_overlay() {
    let text = shop().to_string();
    let attempt = |overlay: &str| import(&[Document { path: "shop.json", text: &text }], Some(overlay), "");
    let broken = attempt("operations: { a.b: { from: POST /pets, effect: sometimes } }").unwrap_err();
    assert!(
        matches!(&broken, Error::Patch { id, reason } if id == "a.b" && reason.contains("effect")),
        "{broken}"
    );
    assert!(attempt("operation: {}").unwrap_err().to_string().contains("operation"));
}

#[test]
fn yaml_and_numbered_statuses_are_read_too() {
    let text = "openapi: 3.0.0\npaths:\n  /a:\n    get:\n      responses:\n        200:\n          content:\n            application/json: { schema: { type: array, items: { type: string } } }\n";
    let imported = import(&[Document { path: "a.yaml", text }], None, "").expect("an import");
    assert_eq!(operation(&imported, "a.list").list.expect("a list").items, ["$[*]"]);
}

#[test]
fn expansion_has_a_limit() {
    let mut schemas = serde_json::Map::new();
    for level in 0..30 {
        let next = json!({ "$ref": format!("#/components/schemas/L{}", level + 1) });
        let wide: serde_json::Map<String, Value> = (0..20).map(|n| (format!("f{n}"), next.clone())).collect();
        schemas.insert(format!("L{level}"), json!({ "type": "object", "properties": wide }));
    }
    let mut bomb = document(json!({ "/a": { "post": { "requestBody": { "content": { "application/json": {
        "schema": { "$ref": "#/components/schemas/L0" } } } }, "responses": {} } } }));
    bomb["components"]["schemas"] = Value::Object(schemas);
    let imported = imported(&bomb, None);
    assert!(found(&imported, "too large when expanded"));
    let size: usize = imported.files.iter().map(|(_, text)| text.len()).sum();
    assert!(size < 2_000_000, "{size} bytes");
}

#[test]
fn names_with_syntax_in_them_come_back_unharmed() {
    let odd = ["a: b", "- x", "{y}", "null", "1e3", "tab\there", "é", "'", "\"", "#", "", "yes", "~"];
    let properties: serde_json::Map<String, Value> =
        odd.iter().map(|name| ((*name).to_owned(), json!({ "type": "string", "enum": odd }))).collect();
    let document = document(json!({ "/a": { "post": { "responses": {}, "requestBody": { "content": {
        "application/json": { "schema": { "type": "object", "properties": properties } } } } } } }));
    let body = operation(&imported(&document, None), "a.create").body.expect("a body");
    let fields: Vec<&str> = body.shape.fields.keys().map(String::as_str).collect();
    assert_eq!(fields, odd);
    assert_eq!(body.shape.fields["#"].values, odd.map(Value::from));
}

/// Any JSON of limited size.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z{}/$#.-]{0,8}".prop_map(Value::from),
        prop_oneof![
            Just("object"),
            Just("array"),
            Just("string"),
            Just("query"),
            Just("path"),
            Just("#/paths"),
            Just("#/components/schemas/Pet"),
            Just("shop.json"),
            Just("3.0.0")
        ]
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        let key = prop_oneof![
            Just("type".to_owned()),
            Just("properties".to_owned()),
            Just("$ref".to_owned()),
            Just("allOf".to_owned()),
            Just("items".to_owned()),
            Just("enum".to_owned()),
            Just("parameters".to_owned()),
            Just("in".to_owned()),
            Just("name".to_owned()),
            Just("schema".to_owned()),
            Just("get".to_owned()),
            Just("post".to_owned()),
            Just("content".to_owned()),
            Just("responses".to_owned()),
            "[a-z/{}]{0,6}".prop_map(|s| s)
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// Every place in a document, as JSON pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                places(inner, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(list) => {
            for (index, inner) in list.iter().enumerate() {
                places(inner, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// Checks that the result of an import loads as a connector.
fn loads(imported: &Imported) {
    let mut files = imported.files.clone();
    files.push(("connector.yaml".into(), CONNECTOR.into()));
    if let Err(error) = Catalog::default().add_folder("shop", files) {
        panic!("{error}\n{:?}", imported.files);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_document_with_anything_anywhere_is_survived(place in any::<prop::sample::Index>(), value in any_json()) {
        let mut document = shop();
        let mut all = Vec::new();
        places(&document, "", &mut all);
        let target: &String = place.get(&all);
        if let Some(target) = document.pointer_mut(target) {
            *target = value;
        }
        let text = document.to_string();
        if let Ok(imported) = import(&[Document { path: "shop.json", text: &text }], None, "") {
            loads(&imported);
        }
    }

    #[test]
    fn a_truncated_document_is_survived(part in 0.0..1.0f64) {
        let text = shop().to_string();
        let mut end = (text.len() as f64 * part) as usize;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        if let Ok(imported) = import(&[Document { path: "shop.json", text: &text[..end] }], None, "") {
            loads(&imported);
        }
    }

    #[test]
    fn any_text_is_survived(text in "\\PC{0,200}") {
        let _ = import(&[Document { path: "x", text: &text }], Some(&text), "");
    }
}
