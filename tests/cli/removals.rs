//! Records that are gone at once are not deleted elsewhere before a person says that they were removed.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::{Json, Router, routing::get};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::program::hob;

type People = Arc<Mutex<Vec<Value>>>;

const CONNECTOR: &str = "connector: crm\ntitle: CRM\nabout: A CRM.\nauth: []\n";
const OPERATIONS: &str = "operations:
  crm.people.list:
    title: List people
    summary: Lists people.
    kinds: [poller]
    method: GET
    path: /people
    effect: read
    list: { items: ['$.people[*]'], id: [id] }
";

/// A CRM, and a workspace with a recipe that polls it on two connections.
fn workspace(runtime: &Runtime, people: &People) -> TempDir {
    let listener =
        runtime.block_on(tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))).unwrap();
    let address = listener.local_addr().unwrap();
    let people = Arc::clone(people);
    let answer = get(async move || Json(json!({ "people": *people.lock().unwrap() })));
    let router = Router::new().route("/people", answer);
    runtime.spawn(async move { axum::serve(listener, router).await });
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("connectors/crm/connector.yaml", CONNECTOR);
    write("connectors/crm/people.yaml", OPERATIONS);
    let connection = format!("{{ connector: crm, base_url: 'http://{address}' }}");
    write("hob.yaml", &format!("connections:\n  north: {connection}\n  south: {connection}\n"));
    write(
        "recipes/gone.yaml",
        "name: gone\nconnections: { crm: [north, south] }\ntrigger: { poll: crm.people.list, emit: removed }\n\
         actions: [{ do: log, with: { message: \"{{ event.id }}\" } }]\n",
    );
    folder
}

fn once(folder: &Path, code: i32) -> Value {
    hob(folder, &["run", "--once", "--format", "json"]).code(code).json()
}

#[test]
fn an_empty_answer_is_told_and_accepted_by_number() {
    let person = |n: usize| json!({ "id": n });
    let people: People = Arc::new(Mutex::new((0..12).map(person).collect()));
    let runtime = Runtime::new().unwrap();
    let folder = workspace(&runtime, &people);
    let path = folder.path();
    once(path, 0);
    let refused = hob(path, &["resume", "gone", "--accept-removed", "12"]).code(1).errors;
    assert!(refused.contains("no poll of `gone` withholds removed records"), "{refused}");

    people.lock().unwrap().clear();
    let summary = once(path, 1);
    assert_eq!(
        (&summary["events"], &summary["polls"][0]["withheld"]["missing"]),
        (&json!(0), &json!(12)),
        "{summary}"
    );
    let told = hob(path, &["run", "--once"]).code(1).output;
    assert!(
        told.contains("12 removed records not reported: `crm.people.list` shows none of the 12"),
        "{told}"
    );
    for command in [&["status"][..], &["runs", "list"]] {
        let told = hob(path, command).code(0).output;
        assert!(
            told.contains("gone on north: since ") && told.contains("`hob resume gone --accept-removed 24`"),
            "{told}"
        );
    }
    let status = hob(path, &["status", "--format", "json"]).code(0).json();
    assert_eq!(status["recipes"][0]["state"], "withholding", "{status}");

    let few = hob(path, &["resume", "gone", "--accept-removed", "12"]).code(1).errors;
    assert!(few.contains("24 records of `gone` are gone now, more than 12"), "{few}");
    hob(path, &["resume", "gone", "nobody", "--accept-removed", "24"]).code(2);
    people.lock().unwrap().push(person(3));
    let accepted = hob(path, &["resume", "gone", "--accept-removed", "24"]).code(0).output;
    assert!(accepted.contains("gone on north: 12 accepted as removed"), "{accepted}");
    let summary = once(path, 0);
    assert_eq!((&summary["events"], &summary["runs"]["succeeded"]), (&json!(22), &json!(22)), "{summary}");
    let status = hob(path, &["status", "--format", "json"]).code(0).json();
    assert_eq!(
        (&status["recipes"][0]["state"], &status["polls"][0]["withheld"]),
        (&json!("ok"), &json!(null))
    );
}

#[test]
fn a_limit_has_to_be_one() {
    let runtime = Runtime::new().unwrap();
    let folder = workspace(&runtime, &People::default());
    for (fields, complaint) in [
        ("emit: removed, removed_limit: 101%", "neither a share from `0%` to `100%` nor a number of records"),
        ("emit: removed, removed_limit: -1", "neither a share"),
        ("emit: removed, removed_limit: many", "neither a share"),
        ("emit: new, removed_limit: 10%", "`removed_limit` needs `removed` in `emit`"),
        ("emit: removed, removed_limit: [1]", "removed_limit"),
    ] {
        let recipe = format!(
            "name: gone\nconnections: {{ crm: north }}\ntrigger: {{ poll: crm.people.list, {fields} }}\nactions: [{{ do: log, with: {{ message: m }} }}]\n"
        );
        fs::write(folder.path().join("recipes/gone.yaml"), recipe).unwrap();
        let told = hob(folder.path(), &["validate"]).code(1).output;
        assert!(told.contains(complaint) && told.contains("gone.yaml:3:"), "{fields}: {told}");
    }
}
