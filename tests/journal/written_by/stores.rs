//! Stores written by earlier versions of hob: see the README beside this file.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

/// The schema of the stored database.
const SCHEMA: &str = "written_by";

/// The versions, by folder.
pub const VERSIONS: [&str; 1] = ["f8a1a71"];

/// Their folder; the recipes of their runs are in `workspace`.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/journal/written_by")
}

fn unpacked(version: &str, file: &str) -> Vec<u8> {
    let packed = fs::File::open(folder().join(version).join(file)).expect("a stored file");
    let mut bytes = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut bytes).expect("it can be unpacked");
    bytes
}

/// Puts the SQLite file of a version at `path`.
pub fn sqlite(version: &str, path: &Path) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
    fs::write(path, unpacked(version, "hob.db.gz")).expect("it can be written");
}

/// SQL that creates the database of a version in `schema`.
pub fn postgres(version: &str, schema: &str) -> String {
    let text = String::from_utf8(unpacked(version, "postgres.sql.gz")).expect("it is SQL");
    format!("SET check_function_bodies = off; {}", text.replace(SCHEMA, schema))
}
