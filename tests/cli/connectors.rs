//! Connectors of a workspace: handwritten, and from `hob import openapi`.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::program::hob;

fn description() -> String {
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Pet Shop API" },
        "servers": [{ "url": "https://shop.example.com/v1" }],
        "security": [{ "key": [] }],
        "components": {
            "securitySchemes": { "key": { "type": "http", "scheme": "bearer" } },
            "schemas": { "Pet": { "type": "object", "required": ["name"], "properties": {
                "id": { "type": "string" },
                "name": { "type": "string" },
                "updated_at": { "type": "string", "format": "date-time" } } } }
        },
        "paths": {
            "/pets": {
                "get": { "responses": { "200": { "description": "", "content": { "application/json": { "schema": {
                    "type": "object", "properties": { "pets": { "type": "array",
                        "items": { "$ref": "#/components/schemas/Pet" } } } } } } } } },
                "post": {
                    "requestBody": { "required": true, "content": { "application/json": { "schema": {
                        "$ref": "#/components/schemas/Pet" } } } },
                    "responses": { "201": { "description": "", "content": { "application/json": { "schema": {
                        "$ref": "#/components/schemas/Pet" } } } } } }
            },
            "/orders": { "get": { "responses": { "200": { "description": "" } } } }
        }
    })
    .to_string()
}

fn workspace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("hob.yaml"),
        "connections: { shop: { connector: pet_shop, auth: { token: x } } }",
    )
    .unwrap();
    fs::write(folder.path().join("shop.json"), description()).unwrap();
    folder
}

#[test]
fn the_example_runs_as_its_readme_says() {
    let folder = tempfile::tempdir().unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/own-connector");
    for part in ["connectors/classbook", "recipes"] {
        fs::create_dir_all(folder.path().join(part)).unwrap();
        for file in fs::read_dir(example.join(part)).unwrap().flatten() {
            fs::copy(file.path(), folder.path().join(part).join(file.file_name())).unwrap();
        }
    }
    fs::copy(example.join("hob.yaml"), folder.path().join("hob.yaml")).unwrap();
    hob(folder.path(), &["validate"]).code(0);
    let summary = hob(folder.path(), &["run", "--sandbox", "--once", "--format", "json"]).code(0).json();
    assert_eq!(summary["runs"], json!({ "succeeded": 3 }), "{summary}");
}

#[test]
fn a_description_becomes_a_connector_that_runs() {
    let folder = workspace();
    let told = hob(folder.path(), &["import", "openapi", "shop.json", "--report", "report.json"]).code(0);
    assert!(
        told.output.contains("pet_shop: 3 operations from 3 described in 1 document; 1 pollers"),
        "{}",
        told.output
    );
    let report: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.path().join("report.json")).unwrap()).unwrap();
    assert!(!report["findings"].as_array().unwrap().is_empty());

    let listed =
        hob(folder.path(), &["catalog", "list", "--connector", "pet_shop", "--format", "json"]).code(0);
    let ids: Vec<String> =
        listed.json().as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, ["pet_shop.orders.list", "pet_shop.pets.list", "pet_shop.pets.create"]);
    fs::create_dir(folder.path().join("recipes")).unwrap();
    fs::write(
        folder.path().join("recipes/pets.yaml"),
        "name: pets\ntrigger: { poll: pet_shop.pets.list, every: 5m, start: all }\n\
         actions: [{ do: pet_shop.pets.create, with: { name: \"{{ event.name }}\" } }]\n",
    )
    .unwrap();
    hob(folder.path(), &["validate"]).code(0);
    hob(folder.path(), &["run", "--sandbox", "--once"]).code(0);
    let refused = hob(folder.path(), &["call", "pet_shop.pets.create", "--sandbox"]).code(2);
    assert!(refused.errors.contains("name"), "{}", refused.errors);
}

/// The folder need not have the connector's name, nor the file the extension `.yaml`.
#[test]
fn mistakes_of_the_sandbox_have_places() {
    let folder = tempfile::tempdir().unwrap();
    let club = folder.path().join("connectors/our club");
    fs::create_dir_all(&club).unwrap();
    fs::create_dir(folder.path().join("recipes")).unwrap();
    let recipe =
        "name: one\ntrigger: { manual: {} }\nactions: [{ do: club.members.get, with: { id: m1 } }]\n";
    fs::write(folder.path().join("recipes/one.yaml"), recipe).unwrap();
    let write = |name: &str, text: &str| fs::write(club.join(name), text).unwrap();
    fs::write(folder.path().join("hob.yaml"), "connections: { club: { connector: club } }").unwrap();
    write("connector.yaml", "connector: club\ntitle: Club\nabout: A club.\nbase_url: http://club.invalid\n");
    write(
        "members.yaml",
        "operations:\n  club.members.get: { title: Get member, summary: One., kinds: [action], method: GET, effect: read,\n    \
         path: '/members/{id}', parameters: { id: { in: path, shape: { type: string, required: true } } } }\n",
    );
    let operation = |fields: &str| {
        let seed = "collections:\n  members: { seed: [{ id: m1, name: Ada }] }\n";
        write("Sandbox.yml", &format!("{seed}operations:\n  club.members.get: {{ {fields} }}\n"));
    };
    let call = ["call", "club.members.get", "id=m1", "--sandbox"];
    for (fields, place, complaint) in [
        ("verb: get, in: members, wher: {}", "Sandbox.yml:4:47", "did you mean `where`?"),
        (
            "verb: get, in: members, sort: { by: name }",
            "Sandbox.yml:4:47",
            "a `get` step has no field `sort`",
        ),
        ("verb: gett, in: members", "Sandbox.yml:4:29", "did you mean `get`?"),
        ("verb: get", "Sandbox.yml:4:23", "a `get` step needs `in`"),
        ("after: [{ verb: find, in: members, answer: {} }]", "Sandbox.yml:4:58", "has no field `answer`"),
        ("answer: { name: '{{ record.name + }}' }", "Sandbox.yml:4:39", "template-syntax"),
    ] {
        operation(fields);
        for arguments in [&call[..], &["run", "--sandbox", "--once"], &["sandbox"]] {
            let failed = hob(folder.path(), arguments).code(1).errors;
            assert!(failed.contains(place) && failed.contains(complaint), "{arguments:?} {fields}: {failed}");
        }
        let checked = hob(folder.path(), &["validate"]).code(1).output;
        assert!(checked.contains(place) && checked.contains(complaint), "{fields}: {checked}");
    }
    operation("verb: get, in: members, extra: { from: sandbox }");
    let found = hob(folder.path(), &call).code(0).json();
    assert_eq!(found, json!({ "id": "m1", "name": "Ada", "from": "sandbox" }));
}

#[test]
fn a_connection_asks_for_version_3() {
    let folder = tempfile::tempdir().unwrap();
    let hob_yaml = |version: &str| {
        let text = format!(
            "connections: {{ studio: {{ connector: highlevel, version: {version}, location: x, auth: {{ token: x }} }} }}"
        );
        fs::write(folder.path().join("hob.yaml"), text).unwrap();
    };
    fs::create_dir(folder.path().join("recipes")).unwrap();
    let recipe = |input: &str| {
        let text = format!(
            "name: open\ntrigger: {{ poll: contacts.search, every: 1h, start: all }}\nactions:\n  \
             - {{ do: opportunities.search, with: {{ {input}: x }} }}\n"
        );
        fs::write(folder.path().join("recipes/open.yaml"), text).unwrap();
    };
    recipe("pipeline_id");
    hob_yaml("v2");
    hob(folder.path(), &["validate"]).code(0);
    hob_yaml("v3");
    let broken = hob(folder.path(), &["validate"]).code(1);
    assert!(broken.output.contains("version v3 of the API calls it `pipelineId`"), "{}", broken.output);
    recipe("pipelineId");
    hob(folder.path(), &["validate"]).code(0);
    let summary = hob(folder.path(), &["run", "--sandbox", "--once", "--format", "json"]).code(0).json();
    assert!(summary["runs"]["succeeded"].as_u64() > Some(10), "{summary}");
    hob_yaml("v4");
    let unknown = hob(folder.path(), &["validate"]).code(1);
    assert!(unknown.output.contains("`highlevel` has no version `v4`"), "{}", unknown.output);
}

#[test]
fn handwritten_files_stay() {
    let folder = workspace();
    let import = ["import", "openapi", "shop.json"];
    hob(folder.path(), &import).code(0);
    let own = folder.path().join("connectors/pet_shop");
    let text = |name: &str| fs::read_to_string(own.join(name)).unwrap();

    // The second import keeps connector.yaml, applies the overlay, and removes obsolete files.
    let mine = text("connector.yaml").replace("Pet Shop API", "Our shop");
    fs::write(own.join("connector.yaml"), &mine).unwrap();
    fs::write(
        own.join("overlay.yaml"),
        "operations: { pet_shop.pets.all: { from: GET /pets, notes: [Slow.] } }",
    )
    .unwrap();
    let mut less: serde_json::Value = serde_json::from_str(&description()).unwrap();
    less["paths"].as_object_mut().unwrap().remove("/orders");
    fs::write(folder.path().join("shop.json"), less.to_string()).unwrap();
    let told = hob(folder.path(), &import).code(0);
    assert!(told.output.contains("removed orders.yaml"), "{}", told.output);
    assert_eq!(text("connector.yaml"), mine);
    assert!(text("pets.yaml").contains("pet_shop.pets.all:"), "{}", text("pets.yaml"));
    assert!(!own.join("orders.yaml").exists());

    // A handwritten file of operations is not overwritten, and then nothing is written.
    fs::write(own.join("pets.yaml"), "operations: {}\n").unwrap();
    let refused = hob(folder.path(), &import).code(1);
    assert!(refused.errors.contains("pets.yaml was not written by an import"), "{}", refused.errors);
    assert_eq!(text("pets.yaml"), "operations: {}\n");
}

#[test]
fn bad_documents_write_nothing() {
    let folder = workspace();
    let whole = description();
    fs::write(folder.path().join("cut.json"), &whole[..whole.len() / 2]).unwrap();
    fs::write(folder.path().join("old.yaml"), "swagger: '2.0'").unwrap();
    for (file, part) in [
        ("cut.json", "cut.json: EOF while parsing"),
        ("old.yaml", "old.yaml: describes its API in Swagger"),
        ("missing.json", "cannot read"),
    ] {
        let refused = hob(folder.path(), &["import", "openapi", file]).code(2);
        assert!(refused.errors.contains(part), "{file}: {}", refused.errors);
    }
    hob(folder.path(), &["import", "openapi", "shop.json", "--name", "../up"]).code(2);
    hob(folder.path(), &["import", "openapi", "shop.json", "--dry-run"]).code(0);
    assert!(!folder.path().join("connectors").exists());
}

#[test]
fn the_committed_catalog_is_what_the_command_writes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let descriptions = root.join("../shared/openapi/highlevel-v2");
    if !descriptions.is_dir() {
        eprintln!("SKIPPED: no descriptions at {}", descriptions.display());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let committed = root.join("schemas/connectors/highlevel");
    for name in ["connector.yaml", "overlay.yaml"] {
        fs::copy(committed.join(name), folder.path().join(name)).unwrap();
    }
    let path = descriptions.to_string_lossy().into_owned();
    let told =
        hob(folder.path(), &["import", "openapi", &path, "--out", ".", "--format", "json"]).code(0).json();
    assert_eq!(told["report"]["described"], 576);
    for name in told["files"].as_array().unwrap() {
        let name = name.as_str().unwrap();
        let written = fs::read(folder.path().join(name)).unwrap();
        assert!(written == fs::read(committed.join(name)).unwrap(), "{name} differs");
    }
}
