//! The program's own requests: every operation of the catalog, called on the stand-in as by a recipe or `hob call`,
//! and compared with the vendor's description.

#[path = "requests/cases.rs"]
mod cases;
#[path = "requests/described.rs"]
mod described;
#[path = "requests/judge.rs"]
mod judge;
#[path = "requests/walk.rs"]
mod walk;

use std::sync::Arc;
use std::time::Duration;

use hob::catalog::Catalog;
use hob::clock::Clock;
use hob::connection::{ApiHeader, Connection, Credential, Setup};
use hob::request::{CallOptions, Client, ClientSettings, FileChoice, Outcome, result};
use hob::sandbox::{Budget, Options, RunningSandbox, Sandbox};
use hob::secret::Secret;
use serde_json::{Map, Value, json};

struct TestBed {
    catalog: Arc<Catalog>,
    sandbox: Sandbox,
    _running: RunningSandbox,
    connection: Connection,
    client: Client,
    folder: tempfile::TempDir,
}

impl TestBed {
    async fn new(connector: &str) -> Self {
        let catalog = Arc::new(Catalog::built_in());
        let options = Options { budget: Budget::Unlimited, ..Options::default() };
        let sandbox = Sandbox::new(Arc::clone(&catalog), options).expect("a stand-in");
        let running = sandbox.serve(([127, 0, 0, 1], 0).into()).await.expect("a free port");
        let known = catalog.connector(connector).expect("a connector");
        // Limits are tested elsewhere.
        let mut unlimited = known.as_ref().clone();
        unlimited.limits = hob::catalog::Limits::default();
        let setup = Setup {
            base_url: Some(running.base_url(connector)),
            settings: sandbox.settings(connector).into_iter().collect(),
            credential: credential(&sandbox.credential(connector).expect("a credential")),
            ..Setup::default()
        };
        let connection = Connection::new(connector, Arc::new(unlimited), setup).expect("a connection");
        let folder = tempfile::tempdir().expect("a folder");
        let settings = ClientSettings { downloads: folder.path().to_owned(), ..ClientSettings::default() };
        let client = Client::new(settings, Clock::system()).expect("a client");
        Self { catalog, sandbox, _running: running, connection, client, folder }
    }

    async fn call(&self, operation: &str, inputs: &Map<String, Value>) -> Result<Outcome, String> {
        let operation = self.catalog.operation(operation).expect("an operation");
        let options = CallOptions {
            max_wait: Duration::from_secs(1),
            files: FileChoice::Person,
            ..CallOptions::default()
        };
        let called = self.client.call(&self.catalog, operation, inputs, &self.connection, &options).await;
        called.map_err(|problems| hob::request::list(&problems))
    }
}

fn credential(auth: &Value) -> Credential {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match (&auth["token"], &auth["header"]) {
        (Value::String(token), _) => Credential::Bearer(Secret::new(token.as_str())),
        (_, Value::Object(header)) => Credential::Header(ApiHeader {
            name: text(&header["name"]),
            value: Secret::new(text(&header["value"])),
        }),
        _ => panic!("no credential in {auth}"),
    }
}

async fn every_operation(connector: &str) -> usize {
    let world = TestBed::new(connector).await;
    let operations: Vec<_> =
        world.catalog.operations().filter(|operation| operation.connector == connector).cloned().collect();
    let mut problems = Vec::new();
    for operation in &operations {
        world.sandbox.reset();
        let mut inputs = world.sandbox.example(&operation.id).unwrap_or_else(|| {
            operation.example.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
        });
        upload(&world, operation, &mut inputs);
        match world.call(&operation.id, &inputs).await {
            Ok(Outcome::Ok(answer)) => {
                if let Err(reason) = result(operation, &answer.body, None) {
                    problems.push(format!("{}: {reason}", operation.id));
                }
            }
            Ok(other) => problems.push(format!("{}: {}", operation.id, other.describe())),
            Err(reason) => problems.push(format!("{}: {reason} in {}", operation.id, json!(inputs))),
        }
    }
    assert!(problems.is_empty(), "{} of {}:\n{}", problems.len(), operations.len(), problems.join("\n"));
    operations.len()
}

/// Inputs that name a file get an existing one.
fn upload(world: &TestBed, operation: &hob::catalog::Operation, inputs: &mut Map<String, Value>) {
    for input in operation.inputs() {
        if input.shape.format.as_deref() == Some("binary") && inputs.contains_key(input.name) {
            let file = world.folder.path().join("upload.bin");
            std::fs::write(&file, b"content").expect("a file");
            inputs.insert(input.name.to_owned(), json!(file.display().to_string()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_highlevel_operation_can_be_called() {
    let called = every_operation("highlevel").await;
    assert!(called >= 126, "only {called} operations");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fitr_operation_can_be_called() {
    assert!(every_operation("fitr").await > 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_readable() {
    let world = TestBed::new("highlevel").await;
    let none = json!({ "contactId": "no-such-contact" });
    let outcome = world.call("contacts.get", none.as_object().expect("an object")).await;
    let Ok(Outcome::Refused(refusal)) = outcome else { panic!("{outcome:?}") };
    assert!(refusal.status.is_some() && refusal.message.len() > 15, "{refusal:?}");
    let wrong = json!({ "contactId": "c", "emial": "x" });
    let problems = world.call("contacts.update", wrong.as_object().expect("an object")).await.unwrap_err();
    assert!(problems.contains("did you mean `email`?"), "{problems}");
}
