//! `hob call` reaches every operation of the catalog on the sandbox.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use hob::catalog::Catalog;
use hob::cli::{Environment, ExitCode, Streams, run};
use hob::sandbox::Sandbox;
use serde_json::{Map, Value};

use crate::stand_in::StandIn;

/// What a command wrote.
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

/// All operations that send something.
fn sending() -> Vec<String> {
    let catalog = Catalog::built_in();
    let sending = catalog.operations().filter(|operation| operation.builtin.is_none());
    sending.map(|operation| operation.id.clone()).collect()
}

/// Inputs with which `id` succeeds on a fresh sandbox. A composite one takes those of its first way.
fn inputs(sandbox: &Sandbox, id: &str) -> Map<String, Value> {
    let catalog = Catalog::built_in();
    let operation = catalog.operation(id).unwrap();
    let Some(way) = operation.composite.first() else {
        return sandbox.example(id).unwrap_or_else(|| panic!("no example for {id}"));
    };
    let example = sandbox.example(&way.operation).unwrap();
    let named = way.with.iter().filter_map(|(name, value)| {
        let own = value.as_str()?.strip_prefix("{{ ")?.strip_suffix(" }}")?;
        Some((own.to_owned(), example.get(name)?.clone()))
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
        let halves = [first, second].map(|half| scope.spawn(|| walk(half)));
        halves.into_iter().for_each(|half| wrong.extend(half.join().unwrap()));
    });
    assert!(wrong.is_empty(), "{} of {} failed:\n{}", wrong.len(), ids.len(), wrong.join("\n"));
}

/// Calls each of `ids`; the complaints.
fn walk(ids: &[String]) -> Vec<String> {
    let stand_in = StandIn::start();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("hob.yaml"), stand_in.workspace()).unwrap();
    let mut wrong = Vec::new();
    for id in ids {
        // What another call deleted this one may need; a fresh start costs time.
        if call(&stand_in.sandbox, folder.path(), id).is_err() {
            stand_in.sandbox.reset();
            wrong.extend(call(&stand_in.sandbox, folder.path(), id).err());
        }
    }
    wrong
}

/// Calls `id` by the command line; why it did not answer well, if it did not.
fn call(sandbox: &Sandbox, folder: &Path, id: &str) -> Result<(), String> {
    let with = Value::Object(inputs(sandbox, id)).to_string();
    let (output, errors) = (Written::default(), Written::default());
    let streams = Streams {
        input: Box::new(std::io::empty()),
        output: Box::new(output.clone()),
        errors: Box::new(errors.clone()),
        output_is_terminal: false,
        errors_is_terminal: false,
    };
    let environment = Environment { directory: folder.to_owned(), ..Environment::default() };
    let arguments = ["hob", "call", id, "--raw", "--with", &with, "--output", "file"];
    let before = sandbox.totals().0;
    let code = run(arguments.map(Into::into), environment, streams);
    let answer: Value = serde_json::from_str(&output.text()).unwrap_or_default();
    let status = answer["status"].as_u64().unwrap_or_default();
    if code != ExitCode::Fine || !(200..300).contains(&status) || sandbox.totals().0 == before {
        return Err(format!("{id} with {with}: status {status}: {}", errors.text()));
    }
    Ok(())
}
