//! `hob call` reaches every operation of the catalog on the sandbox.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use hob::cli::{Environment, ExitCode, Streams, run};
use hob::sandbox::Sandbox;
use serde_json::{Map, Value};

use crate::stand_in::{StandIn, built_in};

/// The output of a command.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Written {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// All operations with requests.
fn sending() -> Vec<String> {
    let catalog = built_in();
    let sending = catalog.operations().filter(|operation| operation.builtin.is_none());
    sending.map(|operation| operation.id.clone()).collect()
}

/// Inputs with which `id` succeeds on a fresh sandbox. A composite uses its first alternative.
fn inputs(sandbox: &Sandbox, id: &str) -> Map<String, Value> {
    let catalog = built_in();
    let operation = catalog.operation(id).unwrap();
    let Some(way) = operation.composite.first() else {
        return sandbox.example(id).unwrap_or_else(|| panic!("no example for {id}"));
    };
    let example = sandbox.example(&way.operation).unwrap();
    let named = way.with.iter().filter_map(|(name, value)| {
        let own = value.names().first()?.0.clone();
        Some((own, example.get(name)?.clone()))
    });
    named.collect()
}

#[test]
fn every_operation_answers_well() {
    let ids = sending();
    assert!(ids.len() >= 126, "{} operations", ids.len());
    // Each half on a sandbox of its own.
    let (first, second) = ids.split_at(ids.len() / 2);
    let mut wrong = Vec::new();
    std::thread::scope(|scope| {
        let halves = [first, second].map(|half| scope.spawn(|| walk(half, None)));
        halves.into_iter().for_each(|half| wrong.extend(half.join().unwrap()));
    });
    assert!(wrong.is_empty(), "{} of {} failed:\n{}", wrong.len(), ids.len(), wrong.join("\n"));
}

#[test]
fn every_operation_of_version_3_answers_well() {
    let catalog = built_in();
    let versions = &catalog.connector("highlevel").unwrap().versions;
    let ids: Vec<String> = versions.versions["v3"].operations.keys().cloned().collect();
    assert_eq!(ids.len(), 124);
    let wrong = walk(&ids, Some("v3"));
    assert!(wrong.is_empty(), "{} of {} failed:\n{}", wrong.len(), ids.len(), wrong.join("\n"));
}

/// Calls each of `ids` in a version of the API; returns the errors.
fn walk(ids: &[String], api: Option<&str>) -> Vec<String> {
    let stand_in = StandIn::start();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("hob.yaml"), stand_in.workspace()).unwrap();
    let mut wrong = Vec::new();
    for id in ids {
        // Another call may have deleted what this one needs; a fresh start takes time.
        if call(&stand_in.sandbox, folder.path(), id, api).is_err() {
            stand_in.sandbox.reset();
            wrong.extend(call(&stand_in.sandbox, folder.path(), id, api).err());
        }
    }
    wrong
}

/// Calls `id` by the command line; the error says why it failed.
fn call(sandbox: &Sandbox, folder: &Path, id: &str, api: Option<&str>) -> Result<(), String> {
    let mut with = Value::Object(inputs(sandbox, id));
    let catalog = built_in();
    let connector = catalog.connector(&catalog.operation(id).unwrap().connector).unwrap();
    if let Some(version) = api.and_then(|api| connector.versions.versions.get(api)) {
        let change = &version.operations[id];
        change.inputs_from_base(&mut with);
        for (name, _) in change.inputs.added.iter().filter(|(_, shape)| shape.required) {
            with[name] = 300.into();
        }
    }
    let with = with.to_string();
    let (output, errors) = (Written::default(), Written::default());
    let streams = Streams {
        input: Box::new(std::io::empty()),
        output: Box::new(output.clone()),
        errors: Box::new(errors.clone()),
        output_is_terminal: false,
        errors_is_terminal: false,
        redactor: Default::default(),
    };
    let environment = Environment { directory: folder.to_owned(), ..Environment::default() };
    let arguments = ["hob", "call", id, "--raw", "--with", &with, "--output", "file"];
    let version = api.map(|api| ["--api", api]);
    let arguments = arguments.into_iter().chain(version.into_iter().flatten()).map(OsString::from);
    let before = sandbox.totals().0;
    let code = run(arguments, environment, streams);
    let answer: Value = serde_json::from_str(&output.text()).unwrap_or_default();
    let status = answer["status"].as_u64().unwrap_or_default();
    if code != ExitCode::Fine || !(200..300).contains(&status) || sandbox.totals().0 == before {
        return Err(format!("{id} with {with}: status {status}: {}", errors.text()));
    }
    Ok(())
}
