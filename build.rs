//! Writes the connectors in `schemas/connectors/` into one compressed JSON text that is included in the program:
//! parsing hundreds of operations as YAML would dominate its start.

#[path = "src/catalog/files.rs"]
mod files;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use files::FileKind;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Map, Value, json};

fn main() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/connectors");
    println!("cargo:rerun-if-changed={}", source.display());
    println!("cargo:rerun-if-changed=src/catalog/files.rs");
    let paths: Vec<PathBuf> = entries(&source).into_iter().filter(|path| path.is_dir()).collect();
    let folders: Map<String, Value> = paths.iter().map(|path| (name(path), folder(path))).collect();
    let scripts: String = paths.iter().filter_map(|path| script(path)).collect();
    #[expect(clippy::disallowed_methods, reason = "cargo tells a build script its folder no other way")]
    let target = std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    let write = |file: &str, content: &[u8]| {
        fs::write(Path::new(&target).join(file), content).expect("a writable target folder");
    };
    write("connectors.json.gz", &compressed(&Value::Object(folders).to_string()));
    write("sandbox_scripts.rs", format!("&[\n{scripts}]\n").as_bytes());
}

fn compressed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
    written.expect("writing to memory does not fail")
}

/// Rust source of a pair: the connector's name and the text of its `sandbox.yaml`.
fn script(folder: &Path) -> Option<String> {
    let file =
        entries(folder).into_iter().find(|file| FileKind::from_path(&name(file)) == FileKind::Sandbox)?;
    Some(format!("    ({:?}, include_str!({:?})),\n", name(folder), file.display().to_string()))
}

/// A connector in the form that the catalog reads: API, events, operations.
fn folder(path: &Path) -> Value {
    let mut connector = Value::Null;
    let mut events = Map::new();
    let mut versions = json!({ "base": "", "versions": {} });
    let mut operations = Map::new();
    for file in entries(path) {
        let kind = FileKind::from_path(&name(&file));
        if matches!(kind, FileKind::Overlay | FileKind::Sandbox) {
            continue;
        }
        let mut content = read(&file);
        let mut part = |key: &str| match content.get_mut(key).map(Value::take) {
            Some(Value::Object(part)) => part,
            _ => panic!("{}: no mapping `{key}`", file.display()),
        };
        match kind {
            FileKind::Events => events = part("events"),
            FileKind::Connector => connector = content,
            FileKind::Versions => versions = content,
            FileKind::Operations | FileKind::Overlay | FileKind::Sandbox => {
                for (id, operation) in part("operations") {
                    assert!(!operations.contains_key(&id), "{}: `{id}` is described twice", file.display());
                    operations.insert(id, operation);
                }
            }
        }
    }
    assert!(connector.is_object(), "{}: no {}", path.display(), FileKind::Connector);
    let parts = [
        ("connector", connector),
        ("events", events.into()),
        ("versions", versions),
        ("operations", operations.into()),
    ];
    Value::Object(parts.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let read = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = read.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn read(file: &Path) -> Value {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
