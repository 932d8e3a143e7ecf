//! Writes the connectors below `schemas/connectors/` into one JSON text, which becomes part of the
//! program: hundreds of operations as YAML would take longer to read than everything else at start.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

/// File in a connector's folder that steers the import; not part of the program.
const OVERLAY_FILE: &str = "overlay.yaml";
/// File in a connector's folder that becomes part of the program as it is.
const SANDBOX_FILE: &str = "sandbox.yaml";

fn main() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/connectors");
    println!("cargo:rerun-if-changed={}", source.display());
    let paths: Vec<PathBuf> = entries(&source).into_iter().filter(|path| path.is_dir()).collect();
    let folders: Map<String, Value> = paths.iter().map(|path| (name(path), folder(path))).collect();
    let scripts: String = paths.iter().filter_map(|path| script(path)).collect();
    #[expect(clippy::disallowed_methods, reason = "cargo tells a build script its folder no other way")]
    let target = std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    let write = |file: &str, text: String| {
        fs::write(Path::new(&target).join(file), text).expect("a writable target folder");
    };
    write("connectors.json", Value::Object(folders).to_string());
    write("files.rs", format!("&[\n{scripts}]\n"));
}

/// Rust text of a pair: the path below `schemas/connectors/` and the file's text.
fn script(folder: &Path) -> Option<String> {
    let file = folder.join(SANDBOX_FILE);
    file.exists().then(|| {
        format!(
            "    ({:?}, include_str!({:?})),\n",
            format!("{}/{SANDBOX_FILE}", name(folder)),
            file.display().to_string()
        )
    })
}

/// A connector as the catalog reads it: the API, its events, its operations.
fn folder(path: &Path) -> Value {
    let mut connector = Value::Null;
    let mut events = Map::new();
    let mut versions = json!({ "base": "", "versions": {} });
    let mut operations = Map::new();
    for file in entries(path) {
        let file_name = name(&file);
        if !file_name.ends_with(".yaml") || [OVERLAY_FILE, SANDBOX_FILE].contains(&file_name.as_str()) {
            continue;
        }
        let mut content = read(&file);
        let mut part = |key: &str| match content.get_mut(key).map(Value::take) {
            Some(Value::Object(part)) => part,
            _ => panic!("{}: no mapping `{key}`", file.display()),
        };
        match file_name.as_str() {
            "events.yaml" => events = part("events"),
            "connector.yaml" => connector = content,
            "versions.yaml" => versions = content,
            _ => {
                for (id, operation) in part("operations") {
                    assert!(!operations.contains_key(&id), "{}: `{id}` is described twice", file.display());
                    operations.insert(id, operation);
                }
            }
        }
    }
    assert!(connector.is_object(), "{}: no connector.yaml", path.display());
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
