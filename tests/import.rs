//! The committed HighLevel catalog is exactly the result of importing the official descriptions with the overlay.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use hob::catalog::Catalog;
use hob::import::{Document, Imported, import};

/// The vendor's descriptions, if a developer has put them beside the repository.
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

/// Rows of a table of facts beside the repository, by column.
fn table(name: &str) -> Option<Vec<BTreeMap<String, String>>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference").join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("SKIPPED: no {}", path.display());
        return None;
    };
    let mut lines = text.lines().map(cells);
    let columns = lines.next()?;
    let row = |cells: Vec<String>| columns.iter().cloned().zip(cells).collect();
    Some(lines.map(row).collect())
}

/// Cells of a line of CSV, with quotes.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            other => cell.push(other),
        }
    }
    cells.push(cell);
    cells
}

fn connector_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/connectors/highlevel")
}

fn imported(files: &[(String, String)]) -> Imported {
    let documents: Vec<Document<'_>> = files.iter().map(|(path, text)| Document { path, text }).collect();
    let overlay = std::fs::read_to_string(connector_folder().join("overlay.yaml")).expect("the overlay");
    import(&documents, Some(&overlay), "highlevel").unwrap_or_else(|error| panic!("{error}"))
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
        .filter(|finding| finding.kind.name() == "overlay entry without operation")
        .map(String::from)
        .collect();
    assert_eq!(unused, Vec::<String>::new());
}

#[test]
fn every_known_defect_is_reported_by_name() {
    let (Some(files), Some(rows)) = (descriptions(), table("spec-defects.csv")) else { return };
    let imported = imported(&files);
    let report = &imported.report;
    println!(
        "{} of {} operations from {} documents; {} pollers, {} derived by rule, {} of these with certainty",
        report.operations,
        report.described,
        report.documents,
        report.pollers,
        report.pollers_derived,
        report.pollers_certain
    );
    let found: BTreeSet<(&str, &str, &str)> = report
        .findings
        .iter()
        .map(|finding| (finding.kind.name(), finding.document.as_str(), finding.operation.as_str()))
        .collect();
    let missing: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            let operation = format!("{} {}", row["method"], row["path"]);
            let known = (row["defect"].as_str(), row["spec_file"].as_str(), operation.as_str());
            (!found.contains(&known)).then(|| format!("{known:?}"))
        })
        .collect();
    assert!(missing.is_empty(), "not reported:\n{}", missing.join("\n"));
    assert!(rows.len() > 500);
}

#[test]
fn the_named_operations_are_those_of_the_list() {
    let Some(rows) = table("operations.csv") else { return };
    let catalog = Catalog::built_in();
    assert_eq!(rows.len(), 126);
    for row in &rows {
        let id = &row["op"];
        let operation = catalog.operation(id).unwrap_or_else(|| panic!("no operation {id}"));
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<BTreeSet<String>>();
        assert_eq!(
            (operation.method.as_str(), &*operation.path),
            (row["method"].as_str(), row["path"].as_str()),
            "{id}"
        );
        assert_eq!(operation.is_poller(), row["kind"] == "trigger", "{id}");
        assert!(operation.is_action(), "{id}");
        assert_eq!(operation.scopes.iter().cloned().collect::<BTreeSet<_>>(), words(&row["scopes"]), "{id}");
        // If the list has no version, its notes name the one that clients send.
        let version = operation.version.as_deref().unwrap_or_default();
        let noted = row["version_header"].is_empty() && row["notes"].contains(version);
        assert!(version == row["version_header"] || noted, "{id}: version {version}");
        if let Some(list) = &operation.list {
            assert_eq!(list.updated.as_deref().unwrap_or_default(), row["item_updated_field"], "{id}");
            assert_eq!(list.created.as_deref().unwrap_or_default(), row["item_created_field"], "{id}");
        }
        for name in row["query_params"].split_whitespace().filter(|_| operation.composite.is_empty()) {
            let name = name.trim_end_matches('*');
            assert!(operation.input(name).is_some(), "{id}: no input {name}");
        }
    }
}

#[test]
fn the_import_is_quick_and_always_the_same() {
    let Some(files) = descriptions() else { return };
    let (one, other) = (imported(&files), imported(&files));
    assert!(one == other, "two imports of the same documents differ");
    let mut reversed = files;
    reversed.reverse();
    let names = |imported: &Imported| {
        let text: String = imported.files.iter().map(|(_, text)| text.as_str()).collect();
        let ids = text.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        ids.map(str::to_owned).collect::<BTreeSet<String>>()
    };
    assert_eq!(names(&one), names(&imported(&reversed)), "ids depend on the order of the documents");
}
