//! The built-in catalog keeps its promises: ids, paths, versions and paging styles that recipes rely
//! on, and every cross-reference inside it.

use std::collections::BTreeMap;

use hob::catalog::{Catalog, Operation, Paging, path};

fn paging_style(operation: &Operation) -> &'static str {
    match operation.list.as_ref().map(|list| &list.paging) {
        None => "-",
        Some(Paging::None) => "none",
        Some(Paging::Offset { .. }) => "offset",
        Some(Paging::Page { .. }) => "page",
        Some(Paging::Cursor { .. }) => "cursor",
        Some(Paging::Link { .. }) => "link",
    }
}

/// Id, method, path, version and paging style of the operations that recipes in the field use.
/// Changing one of them breaks recipes: change this file only on purpose.
#[test]
fn named_operations_stay_as_they_are() {
    let catalog = Catalog::built_in();
    let found: String = catalog
        .operations()
        .filter(|operation| operation.connector == "highlevel")
        .map(|operation| {
            let version = operation.version.as_deref().unwrap_or("-");
            let style = paging_style(operation);
            format!("{},{},{},{version},{style}\n", operation.id, operation.method, operation.path)
        })
        .collect();
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/catalog/named.csv");
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    if option_env!("HOB_BLESS").is_some() {
        std::fs::write(&file, &found).expect("a writable expectation");
        return;
    }
    let found: BTreeMap<&str, &str> = found.lines().filter_map(|line| line.split_once(',')).collect();
    let broken: Vec<String> = expected
        .lines()
        .filter_map(|line| line.split_once(','))
        .filter(|(id, facts)| found.get(id) != Some(facts))
        .map(|(id, facts)| format!("{id}: {facts} expected, {} found", found.get(id).unwrap_or(&"nothing")))
        .collect();
    assert!(expected.lines().count() >= 126, "{} is incomplete", file.display());
    assert!(broken.is_empty(), "broken operations:\n{}", broken.join("\n"));
}

#[test]
fn every_json_path_is_one() {
    for operation in Catalog::built_in().operations() {
        let list = operation.list.iter().flat_map(|list| &list.items);
        for text in operation.result.iter().chain(list) {
            path::check(text).unwrap_or_else(|error| panic!("{}: {text}: {error}", operation.id));
        }
    }
}
