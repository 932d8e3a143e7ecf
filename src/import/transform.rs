//! The import as a whole: documents and overlay in, connector files and report out.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::Value;

use super::defect::Defect;
use super::document::{Document, Documents, file_name};
use super::example;
use super::facts::{self, Described, METHODS};
use super::overlay::{Overlay, OverlayOperation};
use super::patch;
use super::report::{Finding, Report};
use super::schema::Reading;
use super::write;
use crate::catalog::Operation;
use crate::value::{Kind, Shape};

/// An import that cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A document cannot be read at all.
    #[error("{document}: {reason}")]
    Document {
        /// Its path.
        document: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The overlay cannot be read.
    #[error("overlay: {reason}")]
    Overlay {
        /// What is wrong with it, and where.
        reason: String,
    },
    /// An operation is not one any more after the overlay's patch.
    #[error("overlay: operation `{id}`: {reason}")]
    Patch {
        /// The operation.
        id: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// What an import yields.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// Connector files: name and text.
    pub files: Vec<(String, String)>,
    /// What was dropped, guessed and patched.
    pub report: Report,
}

/// Imports `documents`, corrected by the text of an `overlay`. The same input gives the same output,
/// bit for bit.
pub fn import(documents: &[Document<'_>], overlay: Option<&str>) -> Result<Imported, Error> {
    let overlay = match overlay {
        Some(text) => Overlay::read(text).map_err(|reason| Error::Overlay { reason })?,
        None => Overlay::default(),
    };
    let read =
        Documents::read(documents).map_err(|(document, reason)| Error::Document { document, reason })?;
    let mut reading = Reading::new(&read, &overlay.schemas);
    let described = described(&mut reading, &read);
    let ids = ids(&overlay);
    let mut operations: IndexMap<String, Operation> = IndexMap::new();
    for entry in described.values() {
        let facts = facts::read(&mut reading, &overlay, entry);
        match ids.get(entry.key().as_str()) {
            Some(id) => {
                let mut patched = patched(id, facts, &overlay.operations[*id])?;
                example::complete(&mut patched, &overlay.filled);
                reading.note(Defect::Overlaid, *id);
                operations.insert((*id).to_owned(), patched);
            }
            None => reading.note(Defect::NotListed, ""),
        }
    }
    add_undescribed(&overlay, &mut operations)?;
    note_unused(&mut reading, &overlay, &described);
    let files = write::files(in_order(&overlay, operations));
    let report = Report {
        documents: documents.len(),
        described: described.len(),
        operations: files.1,
        findings: std::mem::take(&mut reading.findings).into_iter().collect(),
    };
    Ok(Imported { files: files.0, report })
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
                    reading.note(Defect::RefBroken, reference);
                    continue;
                }
            };
            if !item.is_object() {
                reading.note(Defect::OperationBroken, path.clone());
            }
            for name in METHODS {
                let Some(operation) = item.get(name) else { continue };
                let method = method_of(name);
                if !operation.is_object() {
                    reading.note(Defect::OperationBroken, method);
                    continue;
                }
                let entry = Described { document, root, method, path, item, operation };
                if all.contains_key(&entry.key()) {
                    reading.begin(file_name(document), &entry.key());
                    reading.note(Defect::OperationTwice, "");
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

/// Method and path → our id.
fn ids(overlay: &Overlay) -> BTreeMap<&str, &String> {
    overlay.operations.iter().filter_map(|(id, entry)| Some((entry.from.as_deref()?, id))).collect()
}

fn patched(id: &str, mut facts: Operation, entry: &OverlayOperation) -> Result<Operation, Error> {
    if let (Some(path), Some(shape)) =
        (&entry.response_at, facts.response.take_if(|_| entry.response_at.is_some()))
    {
        facts.response = Some(wrapped(shape, path));
    }
    let failed = |error: serde_json::Error| Error::Patch { id: id.to_owned(), reason: error.to_string() };
    let mut value = serde_json::to_value(&facts).map_err(failed)?;
    patch::merge(&mut value, &Value::Object(entry.patch.clone()));
    serde_path_to_error::deserialize(value)
        .map_err(|error| Error::Patch { id: id.to_owned(), reason: error.to_string() })
}

/// `shape` at the end of a JSONPath of plain names and `[*]`.
fn wrapped(shape: Shape, path: &str) -> Shape {
    let mut at = shape;
    let path = path.trim_start_matches('$').replace("[*]", ".[]");
    for part in path.split('.').rev().filter(|part| !part.is_empty()) {
        at = match part {
            "[]" => Shape::list(at),
            name => {
                let fields = IndexMap::from([(name.to_owned(), at)]);
                Shape { fields, ..Shape::of(Kind::Object) }
            }
        };
    }
    at
}

/// Operations that stand in the overlay alone, such as composite ones.
fn add_undescribed(overlay: &Overlay, operations: &mut IndexMap<String, Operation>) -> Result<(), Error> {
    for (id, entry) in &overlay.operations {
        if entry.from.is_none() {
            let whole = Value::Object(entry.patch.clone());
            let operation = serde_path_to_error::deserialize(whole)
                .map_err(|error| Error::Patch { id: id.clone(), reason: error.to_string() })?;
            operations.insert(id.clone(), operation);
        }
    }
    Ok(())
}

fn note_unused(reading: &mut Reading<'_>, overlay: &Overlay, described: &IndexMap<String, Described<'_>>) {
    reading.begin("", "");
    for (id, entry) in &overlay.operations {
        if let Some(from) = entry.from.as_ref().filter(|from| !described.contains_key(*from)) {
            reading.note(Defect::OverlayUnused, format!("{id}: {from}"));
        }
    }
    for name in overlay.schemas.keys() {
        if !reading.used_patches.contains(name) {
            reading.note(Defect::OverlayUnused, name.clone());
        }
    }
}

/// The overlay's operations in its order.
fn in_order(overlay: &Overlay, mut operations: IndexMap<String, Operation>) -> IndexMap<String, Operation> {
    let mut ordered = IndexMap::new();
    for id in overlay.operations.keys() {
        if let Some(operation) = operations.shift_remove(id) {
            ordered.insert(id.clone(), operation);
        }
    }
    ordered.extend(operations);
    ordered
}

impl From<&Finding> for String {
    fn from(finding: &Finding) -> String {
        let place = if finding.operation.is_empty() { &finding.document } else { &finding.operation };
        format!("{place}: {} {}", finding.defect.name(), finding.detail)
    }
}
