//! Findings that concern several operations.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::Value;

use super::described::Described;
use super::document::file_name;
use super::finding::FindingKind;
use super::schema::Reading;

/// Longer paths are not compared.
const MAX_PARTS: usize = 40;

/// Reports duplicate names and conflicting paths.
pub(super) fn note(reading: &mut Reading<'_>, described: &IndexMap<String, Described<'_>>) {
    operation_ids(reading, described);
    templates(reading, described);
}

fn operation_ids(reading: &mut Reading<'_>, described: &IndexMap<String, Described<'_>>) {
    let id_of =
        |entry: &Described<'_>| entry.operation.get("operationId").and_then(Value::as_str).map(str::to_owned);
    let mut uses: BTreeMap<String, usize> = BTreeMap::new();
    for id in described.values().filter_map(id_of) {
        *uses.entry(id).or_insert(0) += 1;
    }
    for entry in described.values() {
        if let Some(id) = id_of(entry).filter(|id| uses.get(id).is_some_and(|count| *count > 1)) {
            reading.begin(file_name(entry.document), &entry.key());
            reading.note(FindingKind::OperationIdTwice, id);
        }
    }
}

fn templates(reading: &mut Reading<'_>, described: &IndexMap<String, Described<'_>>) {
    let mut by_template: BTreeMap<(&str, String), Vec<&Described<'_>>> = BTreeMap::new();
    for entry in described.values() {
        by_template.entry((entry.document, template(entry.path))).or_default().push(entry);
    }
    for entry in described.values() {
        reading.begin(file_name(entry.document), &entry.key());
        let same = by_template.get(&(entry.document, template(entry.path)));
        if let Some(other) = same.into_iter().flatten().find(|other| other.path != entry.path) {
            reading.note(FindingKind::TemplateTwice, format!("vs {}", other.path));
        }
        for wider in wider(entry.path) {
            let shadowed = by_template.get(&(entry.document, wider));
            let of_method = |other: &&&Described<'_>| other.method == entry.method;
            if let Some(other) = shadowed.into_iter().flatten().find(of_method) {
                reading.note(FindingKind::LiteralShadows, other.path);
            }
        }
    }
}

/// A path without the names of its parameters.
fn template(path: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { "{}".to_owned() } else { part.to_owned() };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// Templates that match the path with one of its literals as a parameter.
fn wider(path: &str) -> Vec<String> {
    let own = template(path);
    let parts: Vec<&str> = own.split('/').collect();
    if parts.len() > MAX_PARTS {
        return vec![];
    }
    let literal = |at: &usize| !parts[*at].is_empty() && parts[*at] != "{}";
    let with_parameter = |at: usize| {
        let mut wider = parts.clone();
        wider[at] = "{}";
        wider.join("/")
    };
    (0..parts.len()).filter(literal).map(with_parameter).collect()
}
