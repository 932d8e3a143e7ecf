//! The import: from documents and overlay to connector files and a report.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::connector_file;
use super::cross_checks;
use super::described::{Described, METHODS};
use super::document::{Document, Documents, file_name};
use super::error::Error;
use super::example;
use super::finding::FindingKind;
use super::infer;
use super::operation;
use super::overlay::{Overlay, OverlayOperation};
use super::patch;
use super::report::{Finding, Report};
use super::schema::Reading;
use super::write;
use crate::catalog::{Operation, PathTemplate};
use crate::source::{ReadError, SourceFile, parse, read};
use crate::value::{Kind, Shape};

/// The result of an import.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// Text of an initial `connector.yaml`. It is edited by people, so only the first import into a folder writes it.
    pub connector: String,
    /// Files of operations: name and text.
    pub files: Vec<(String, String)>,
    /// What was dropped, guessed and patched.
    pub report: Report,
}

/// Imports `documents` into the connector `name`, corrected by the text of an `overlay`. Derived ids begin with the
/// name unless the overlay has another prefix. Deterministic.
pub fn import(documents: &[Document<'_>], overlay: Option<&str>, name: &str) -> Result<Imported, Error> {
    let overlay = match overlay {
        Some(text) => Overlay::read(text).map_err(|reason| Error::Overlay { reason })?,
        None => Overlay::default(),
    };
    let prefix = overlay.prefix.clone().unwrap_or_else(|| name.to_owned());
    let read = Documents::read(documents)?;
    let mut reading = Reading::new(&read, &overlay.schemas, overlay.flatten_lists);
    let connector = connector_file::connector(&mut reading, &read, &overlay, name);
    let described = described(&mut reading, &read);
    cross_checks::note(&mut reading, &described);
    let mut report = Report { documents: documents.len(), described: described.len(), ..Report::default() };
    let mut operations = overlaid(&mut reading, &overlay, &described, &mut report)?;
    let known = overlay.known();
    let rest = described.values().filter(|entry| !known.contains(entry.key().as_str()));
    if overlay.only_listed {
        for entry in rest {
            reading.begin(file_name(entry.document), &entry.key());
            reading.note(FindingKind::NotListed, "");
        }
    } else {
        let entries: Vec<&Described<'_>> = rest.collect();
        let derived = infer::operations(&mut reading, &overlay, &prefix, &entries, &mut report);
        operations.extend(derived);
    }
    note_unused(&mut reading, &overlay, &described);
    report.operations = operations.len();
    report.pollers = operations.values().filter(|operation| operation.is_poller()).count();
    report.findings = std::mem::take(&mut reading.findings).into_iter().collect();
    Ok(Imported { connector, files: write::files(operations, &prefix), report })
}

/// The operations of the overlay, in order.
fn overlaid(
    reading: &mut Reading<'_>,
    overlay: &Overlay,
    described: &IndexMap<String, Described<'_>>,
    report: &mut Report,
) -> Result<IndexMap<String, Operation>, Error> {
    let mut operations = IndexMap::new();
    for (id, entry) in &overlay.operations {
        let facts = match &entry.from {
            Some(from) => match described.get(from) {
                Some(described) if entry.patch.contains_key("summary") => {
                    Some(operation::read(reading, overlay, described))
                }
                Some(described) => Some(infer::named(reading, overlay, described, id, report)),
                None => continue,
            },
            None => None,
        };
        let mut operation = patched(id, facts, entry)?;
        example::complete(&mut operation, &overlay.filled);
        if entry.from.is_some() {
            reading.note(FindingKind::Overlaid, id.clone());
        }
        operations.insert(id.clone(), operation);
    }
    Ok(operations)
}

/// All operations of all documents, by method and path.
fn described<'a>(reading: &mut Reading<'a>, documents: &'a Documents) -> IndexMap<String, Described<'a>> {
    let mut all: IndexMap<String, Described<'a>> = IndexMap::new();
    for (document, root) in documents.iter() {
        let Some(paths) = root.get("paths").and_then(Value::as_object) else { continue };
        for (path, item) in paths {
            reading.begin(file_name(document), path);
            let item = match documents.resolve(document, item) {
                Ok(found) => found.value,
                Err(reference) => {
                    reading.note(FindingKind::RefBroken, reference);
                    continue;
                }
            };
            if !item.is_object() {
                reading.note(FindingKind::OperationBroken, path.clone());
            }
            if let Err(reason) = PathTemplate::try_from(path.clone()) {
                reading.note(FindingKind::OperationBroken, reason);
                continue;
            }
            for name in METHODS {
                let Some(operation) = item.get(name) else { continue };
                let method = method_of(name);
                if !operation.is_object() {
                    reading.note(FindingKind::OperationBroken, method);
                    continue;
                }
                let entry = Described { document, root, method, path, item, operation };
                if all.contains_key(&entry.key()) {
                    reading.begin(file_name(document), &entry.key());
                    reading.note(FindingKind::OperationTwice, "");
                    continue;
                }
                all.insert(entry.key(), entry);
            }
        }
    }
    all
}

fn method_of(name: &str) -> &'static str {
    match name {
        "get" => "GET",
        "post" => "POST",
        "put" => "PUT",
        "patch" => "PATCH",
        "delete" => "DELETE",
        _ => "HEAD",
    }
}

/// The described operation with the overlay's patch; the patch alone if it is not described.
fn patched(id: &str, facts: Option<Operation>, entry: &OverlayOperation) -> Result<Operation, Error> {
    let failed = |reason: String| Error::Patch { id: id.to_owned(), reason };
    let mut value = Value::Object(Map::new());
    if let Some(mut facts) = facts {
        if let Some(path) = &entry.response_at {
            facts.response = facts.response.map(|shape| wrapped(shape, path));
        }
        value = serde_json::to_value(&facts).map_err(|error| failed(error.to_string()))?;
    }
    patch::merge(&mut value, &Value::Object(entry.patch.clone()));
    // Serialized and parsed again: another format would instantiate all deserializers of an operation once more.
    let node = parse(&SourceFile::new(id, value.to_string())).node.unwrap_or_default();
    read(&node).map_err(|ReadError { message, span }| {
        let path = node.path_to(span.unwrap_or_default());
        failed(if path.is_empty() { message } else { format!("{path}: {message}") })
    })
}

/// Wraps `shape` so that it is at a JSONPath of plain names and `[*]`.
fn wrapped(shape: Shape, path: &str) -> Shape {
    let mut at = shape;
    let path = path.trim_start_matches('$').replace("[*]", ".[]");
    for part in path.split('.').rev().filter(|part| !part.is_empty()) {
        at = match part {
            "[]" => Shape::list(at),
            name => {
                let fields = IndexMap::from([(name.to_owned(), at)]);
                Shape { fields, ..Shape::new(Kind::Object) }
            }
        };
    }
    at
}

fn note_unused(reading: &mut Reading<'_>, overlay: &Overlay, described: &IndexMap<String, Described<'_>>) {
    reading.begin("", "");
    for (id, entry) in &overlay.operations {
        if let Some(from) = entry.from.as_ref().filter(|from| !described.contains_key(*from)) {
            reading.note(FindingKind::OverlayUnused, format!("{id}: {from}"));
        }
    }
    for name in overlay.schemas.keys() {
        if !reading.used_patches.contains(name) {
            reading.note(FindingKind::OverlayUnused, name.clone());
        }
    }
}

impl From<(String, String)> for Error {
    fn from((document, reason): (String, String)) -> Self {
        Self::Document { document, reason }
    }
}

impl From<&Finding> for String {
    fn from(finding: &Finding) -> String {
        let place = if finding.operation.is_empty() { &finding.document } else { &finding.operation };
        format!("{place}: {} {}", finding.kind.name(), finding.detail)
    }
}
