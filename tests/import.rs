//! The committed HighLevel catalog is what the import makes of the official descriptions and the
//! overlay, bit for bit.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hob::import::{Document, Imported, import};

/// The vendor's descriptions, where a developer has put them beside the repository.
fn descriptions() -> Option<Vec<(String, String)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/openapi");
    let mut files: Vec<PathBuf> = ["highlevel-v2", "common"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(root.join(folder)).into_iter().flatten().flatten())
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    if files.is_empty() {
        eprintln!("SKIPPED: no descriptions under {}", root.display());
        return None;
    }
    let read = |path: PathBuf| {
        let name = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().into_owned();
        (name, std::fs::read_to_string(&path).expect("a readable description"))
    };
    Some(files.into_iter().map(read).collect())
}

fn connector_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/connectors/highlevel")
}

fn imported(files: &[(String, String)]) -> Imported {
    let documents: Vec<Document<'_>> = files.iter().map(|(path, text)| Document { path, text }).collect();
    let overlay = std::fs::read_to_string(connector_folder().join("overlay.yaml")).expect("the overlay");
    import(&documents, Some(&overlay)).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_catalog_is_the_import() {
    let Some(files) = descriptions() else { return };
    let imported = imported(&files);
    for (name, text) in &imported.files {
        let path = connector_folder().join(name);
        if option_env!("HOB_BLESS").is_some() {
            std::fs::write(&path, text).expect("a writable catalog");
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        if committed != *text {
            let line = committed.lines().zip(text.lines()).position(|(a, b)| a != b).unwrap_or(0) + 1;
            panic!("{name} differs from line {line} on; HOB_BLESS=1 cargo test --test import writes it anew");
        }
    }
    let unused: Vec<String> = imported
        .report
        .findings
        .iter()
        .filter(|finding| finding.defect.name() == "overlay entry without operation")
        .map(String::from)
        .collect();
    assert_eq!(unused, Vec::<String>::new());
    let report = &imported.report;
    println!(
        "{} of {} operations from {} documents; {} pollers, {} of them derived, {} with certainty",
        report.operations,
        report.described,
        report.documents,
        report.pollers,
        report.pollers_derived,
        report.pollers_certain
    );
    let counts: BTreeMap<_, _> = imported.report.counts();
    for (defect, count) in counts {
        println!("{count:5} {}", defect.name());
    }
}
