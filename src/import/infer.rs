//! Operations without an overlay entry: everything is inferred by rules.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use super::described::Described;
use super::document::file_name;
use super::example;
use super::finding::FindingKind;
use super::listing::{self, Derived};
use super::names::{self, Candidate, Name};
use super::operation;
use super::overlay::Overlay;
use super::report::Report;
use super::schema::Reading;
use crate::catalog::{Effect, Encoding, Operation, OperationKind, Paging};
use crate::value::{Kind, Shape};

/// Names of a POST that reads.
const READING: [&str; 8] = ["search", "list", "get", "filter", "validate", "check", "calculate", "estimate"];
/// Fields of an answer that wrap a record.
const ENVELOPE: [&str; 9] =
    ["success", "succeded", "succeeded", "message", "msg", "status", "statusCode", "traceId", "new"];

/// The operations of `entries` by id (with `prefix`), in document order.
pub(super) fn operations(
    reading: &mut Reading<'_>,
    overlay: &Overlay,
    prefix: &str,
    entries: &[&Described<'_>],
    report: &mut Report,
) -> IndexMap<String, Operation> {
    let collections = names::collections(entries.iter().map(|entry| entry.path));
    let mut read: Vec<(&Described<'_>, Operation, Option<Derived>)> = Vec::new();
    let mut named: BTreeMap<String, Candidate> = BTreeMap::new();
    for entry in entries {
        let mut operation = operation::read(reading, overlay, entry);
        let of_get = (entry.method == "GET").then(|| listing::derive(&operation, &reading.hints)).flatten();
        let name = names::name(entry, &collections, &overlay.rename, of_get.is_some());
        let listing = judge(reading, &mut operation, &name);
        let (path, method) = (entry.path.to_owned(), entry.method.to_owned());
        named.insert(entry.key(), Candidate { name, path, method });
        read.push((entry, operation, listing));
    }
    let reserved: BTreeSet<String> = overlay
        .operations
        .keys()
        .map(|id| id.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('.')).unwrap_or(id).to_owned())
        .collect();
    let unique = names::unique(&named, &reserved);
    let mut operations = IndexMap::new();
    for (entry, mut operation, listing) in read {
        let Some(name) = unique.get(&entry.key()) else { continue };
        reading.begin(file_name(entry.document), &entry.key());
        describe(reading, overlay, &mut operation, name, listing, report);
        example::complete(&mut operation, &overlay.filled);
        let id = if prefix.is_empty() { name.id() } else { format!("{prefix}.{}", name.id()) };
        operations.insert(id, operation);
    }
    operations
}

/// An inferred operation with an id from the overlay.
pub(super) fn named(
    reading: &mut Reading<'_>,
    overlay: &Overlay,
    entry: &Described<'_>,
    id: &str,
    report: &mut Report,
) -> Operation {
    let mut operation = operation::read(reading, overlay, entry);
    let name = Name::from_id(id);
    let listing = judge(reading, &mut operation, &name);
    describe(reading, overlay, &mut operation, &name, listing, report);
    operation
}

/// Infers effect and listing of an operation with this name.
fn judge(reading: &Reading<'_>, operation: &mut Operation, name: &Name) -> Option<Derived> {
    match (operation.method.as_str(), name.action()) {
        ("POST", action) if READING.contains(&action) => operation.effect = Effect::Read,
        ("POST", "upsert") => operation.effect = Effect::Idempotent,
        _ => {}
    }
    let lists = operation.method == "GET" || ["search", "list"].contains(&name.action());
    (lists && operation.effect == Effect::Read).then(|| listing::derive(operation, &reading.hints)).flatten()
}

fn describe(
    reading: &mut Reading<'_>,
    overlay: &Overlay,
    operation: &mut Operation,
    name: &Name,
    listing: Option<Derived>,
    report: &mut Report,
) {
    operation.title = name.title(&overlay.words);
    match listing {
        Some(derived) => poller(reading, report, operation, derived),
        None => operation.result = wrapper(operation.response.as_ref()),
    }
    operation.summary = name.summary(&overlay.words, &remarks(operation));
}

fn poller(reading: &mut Reading<'_>, report: &mut Report, operation: &mut Operation, derived: Derived) {
    report.pollers_derived += 1;
    if derived.guesses.is_empty() {
        report.pollers_certain += 1;
    } else {
        reading.note(FindingKind::ListGuessed, derived.guesses.join(", "));
    }
    operation.kinds = vec![OperationKind::Poller, OperationKind::Action];
    operation.result = derived
        .listing
        .items
        .iter()
        .filter_map(|items| items.strip_suffix("[*]"))
        .filter(|path| *path != "$")
        .map(str::to_owned)
        .collect();
    operation.list = Some(derived.listing);
}

/// The record inside an answer that otherwise only reports success.
fn wrapper(response: Option<&Shape>) -> Vec<String> {
    let Some(response) = response.filter(|shape| shape.kind == Kind::Object) else { return vec![] };
    let mut records = response.fields.iter().filter(|(name, _)| !ENVELOPE.contains(&name.as_str()));
    match (records.next(), records.next()) {
        (Some((name, record)), None)
            if record.kind == Kind::Object
                && !record.fields.is_empty()
                && name.chars().all(|c| c.is_ascii_alphanumeric()) =>
        {
            vec![format!("$.{name}")]
        }
        _ => vec![],
    }
}

/// Remarks for a summary besides the name.
fn remarks(operation: &Operation) -> Vec<&'static str> {
    let mut remarks = Vec::new();
    match operation.list.as_ref().map(|list| &list.paging) {
        Some(Paging::None) => remarks.push("all in one answer"),
        Some(_) => remarks.push("page by page"),
        None => {}
    }
    if operation.body.as_ref().is_some_and(|body| body.encoding == Encoding::Multipart) {
        remarks.push("takes a file");
    }
    if operation.download.is_some() {
        remarks.push("answers with a file");
    }
    if operation.access == ["agency"] {
        remarks.push("needs an agency token");
    }
    if operation.deprecated {
        remarks.push("the vendor advises against it");
    }
    remarks
}
