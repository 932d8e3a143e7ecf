//! Reads connector folders into a `Catalog`.

use std::io::Read;
use std::sync::{Arc, LazyLock, OnceLock};

use flate2::read::GzDecoder;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::{Builtin, Connector, EventType, FileKind, Operation};
use crate::source::{self, Node, ReadError, SourceFile, Span};

static COMPRESSED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/connectors.json.gz"));
/// The folders in `schemas/connectors/` as one JSON text, written by `build.rs`. Stored compressed, at a twelfth of
/// its size; decompressed once, in a few milliseconds.
static BUILT_IN: LazyLock<String> = LazyLock::new(|| {
    let mut text = String::new();
    let mut decoder = GzDecoder::new(COMPRESSED);
    decoder.read_to_string(&mut text).expect("build.rs wrote compressed text");
    text
});
/// Connector names and the texts of their `sandbox.yaml`.
static SANDBOX_SCRIPTS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sandbox_scripts.rs"));

/// The connector of operations that hob performs itself.
const OWN: &str = "hob";

/// A connector folder that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file does not have the required format.
    #[error("{file}{}: {reason}", line.map(|line| format!(":{line}")).unwrap_or_default())]
    Invalid {
        /// Path of the file.
        file: String,
        /// What is wrong.
        reason: String,
        /// The line, from 1, if known.
        line: Option<usize>,
    },
    /// Two files describe the same operation.
    #[error("{file}: operation `{id}` is described twice; ids are unique in the whole catalog")]
    Duplicate {
        /// Path of the second file.
        file: String,
        /// The operation's id.
        id: String,
    },
    /// A folder without a description of the API.
    #[error("{folder}: no {}; a connector's folder needs one", FileKind::Connector)]
    NoConnector {
        /// The folder.
        folder: String,
    },
}

/// A file of operations.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OperationsFile {
    /// The operations by id, such as `contacts.upsert`.
    operations: IndexMap<String, Operation>,
}

/// The webhook events of an API: `events.yaml`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EventsFile {
    /// The events by the names that recipes use, such as `ContactUpdate`.
    events: IndexMap<String, EventType>,
}

/// A built-in connector, as written by `build.rs`. Operations are parsed on demand, because a program uses few of
/// them.
#[derive(Deserialize)]
struct BuiltIn {
    #[serde(borrow)]
    connector: &'static RawValue,
    #[serde(borrow)]
    events: &'static RawValue,
    #[serde(borrow)]
    versions: &'static RawValue,
    #[serde(borrow)]
    operations: IndexMap<String, &'static RawValue>,
}

/// The address of an operation's requests.
#[derive(Debug, Clone, Deserialize)]
pub struct Address {
    /// The operation's id.
    #[serde(skip)]
    pub id: String,
    /// HTTP method.
    #[serde(default)]
    pub method: String,
    /// Path relative to the base URL, with parameters in braces.
    #[serde(default)]
    pub path: String,
    #[serde(default)]
    composite: Vec<IgnoredAny>,
}

/// An operation, parsed or not.
#[derive(Debug, Clone)]
struct Entry {
    id: String,
    connector: String,
    /// Its JSON text; empty if `operation` is set from the start.
    text: &'static str,
    operation: OnceLock<Arc<Operation>>,
    /// The operation in other versions of the API, parsed on demand.
    versions: OnceLock<IndexMap<String, Arc<Operation>>>,
}

impl Entry {
    fn read(&self) -> &Arc<Operation> {
        self.operation.get_or_init(|| {
            let mut operation: Operation = read_built_in(&self.id, self.text);
            operation.id.clone_from(&self.id);
            operation.connector.clone_from(&self.connector);
            Arc::new(operation)
        })
    }

    /// Parses nothing else.
    fn address(&self) -> Option<Address> {
        let mut address = match self.operation.get() {
            Some(operation) => Address {
                id: String::new(),
                method: operation.method.clone(),
                path: operation.path.to_string(),
                composite: operation.composite.iter().map(|_| IgnoredAny).collect(),
            },
            None => serde_json::from_str(self.text).ok()?,
        };
        address.id.clone_from(&self.id);
        Some(address).filter(|address| !address.path.is_empty() && address.composite.is_empty())
    }

    fn read_in(&self, version: &str, connector: &Connector) -> Option<&Arc<Operation>> {
        let versions = self.versions.get_or_init(|| {
            let all = connector.versions.variants(self.read());
            all.map(|(name, operation)| (name, Arc::new(operation))).collect()
        });
        versions.get(version)
    }
}

/// All operations of all connectors.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    connectors: IndexMap<String, Arc<Connector>>,
    operations: IndexMap<String, Entry>,
    /// Of all that was read.
    fingerprint: Sha256,
}

impl Catalog {
    /// The built-in catalog.
    ///
    /// # Panics
    /// Never in a released program: a test parses every file.
    pub fn built_in() -> Self {
        let folders: IndexMap<String, BuiltIn> =
            serde_json::from_str(&BUILT_IN).expect("built-in connectors load");
        let mut catalog = Self::default();
        catalog.fingerprint.update(COMPRESSED);
        for (name, BuiltIn { connector, events, versions, operations }) in folders {
            let mut connector: Connector = read_built_in(&name, connector.get());
            connector.events = read_built_in(&name, events.get());
            connector.versions = read_built_in(&name, versions.get());
            let name = connector.connector.clone();
            catalog.connectors.insert(name.clone(), Arc::new(connector));
            for (id, text) in operations {
                let entry = Entry {
                    id: id.clone(),
                    connector: name.clone(),
                    text: text.get(),
                    operation: OnceLock::new(),
                    versions: OnceLock::new(),
                };
                let earlier = catalog.operations.insert(id, entry);
                assert!(earlier.is_none(), "{}: described twice", earlier.map_or_else(String::new, |e| e.id));
            }
        }
        catalog
    }

    /// Text of the `sandbox.yaml` of a built-in connector.
    pub fn built_in_sandbox(connector: &str) -> Option<&'static str> {
        SANDBOX_SCRIPTS.iter().find(|(known, _)| *known == connector).map(|(_, text)| *text)
    }

    /// Adds a connector from its files (path and text). A duplicate operation is an error; an existing connector is
    /// replaced as a whole, so that a workspace can adapt one.
    pub fn add_folder(&mut self, folder: &str, mut files: Vec<(String, String)>) -> Result<(), Error> {
        files.sort();
        files.iter().for_each(|(_, text)| self.fingerprint.update(text));
        let mut trees = Vec::new();
        for (path, text) in &files {
            let kind = FileKind::from_path(path);
            if !matches!(kind, FileKind::Overlay | FileKind::Sandbox) {
                trees.push((kind, Tree::parse(path, text)?));
            }
        }
        let of_kind = |kind| trees.iter().filter(move |(known, _)| *known == kind).map(|(_, tree)| tree);
        let no_connector = || Error::NoConnector { folder: folder.to_owned() };
        let root = of_kind(FileKind::Connector).next().ok_or_else(no_connector)?;
        let mut connector: Connector = root.read()?;
        check_signatures(&connector, root)?;
        for tree in of_kind(FileKind::Events) {
            connector.events = tree.read::<EventsFile>()?.events;
            check_reconcile(&connector, tree)?;
        }
        for tree in of_kind(FileKind::Versions) {
            connector.versions = tree.read()?;
        }
        if self.connectors.contains_key(&connector.connector) {
            self.operations.retain(|_, entry| entry.connector != connector.connector);
        }
        for tree in of_kind(FileKind::Operations) {
            for (id, mut operation) in tree.read::<OperationsFile>()?.operations {
                operation.id.clone_from(&id);
                operation.connector.clone_from(&connector.connector);
                tree.check_placeholders(&operation, &["operations", &id])?;
                for tree in of_kind(FileKind::Versions) {
                    for (version, operation) in connector.versions.variants(&operation) {
                        tree.check_placeholders(&operation, &["versions", &version, "operations", &id])?;
                    }
                }
                let entry = Entry {
                    id: id.clone(),
                    connector: connector.connector.clone(),
                    text: "",
                    operation: OnceLock::from(Arc::new(operation)),
                    versions: OnceLock::new(),
                };
                if self.operations.insert(id.clone(), entry).is_some() {
                    return Err(Error::Duplicate { file: tree.file.name().to_owned(), id });
                }
            }
        }
        self.check_records(&connector, root)?;
        for tree in of_kind(FileKind::Operations) {
            self.check_parents(&connector, tree)?;
        }
        self.connectors.insert(connector.connector.clone(), Arc::new(connector));
        Ok(())
    }

    /// The read of a whole record that the poller `list` lists, and its input for the record's id.
    pub fn record_read(&self, list: &Operation) -> Option<(&Operation, &str)> {
        let connector = self.connector(&list.connector)?;
        let kind = connector.records.values().find(|kind| kind.list == list.id)?;
        let read = self.operation(&kind.read)?;
        Some((read, connector.id_input(read)?))
    }

    /// The operation that hob performs itself.
    pub fn built_in_operation(&self, builtin: Builtin) -> Option<&Arc<Operation>> {
        let own = self.operations.values().filter(|entry| entry.connector == OWN);
        own.map(Entry::read).find(|operation| operation.builtin == Some(builtin))
    }

    /// Checks that the kinds of records of `connector` name operations of its own.
    fn check_records(&self, connector: &Connector, tree: &Tree) -> Result<(), Error> {
        for (name, kind) in &connector.records {
            let own = |id: &str| {
                self.operations.get(id).is_some_and(|entry| entry.connector == connector.connector)
            };
            if let Some((field, id)) = kind.operations().find(|(_, id)| !own(id)) {
                let reason =
                    format!("`{name}`: `{field}` names `{id}`, which is no operation of this connector");
                return Err(tree.invalid(Some(tree.node.span_at(&["records", name, field])), reason));
            }
        }
        Ok(())
    }

    /// Checks that what `per_parent` of the operations in `tree` names can be polled.
    fn check_parents(&self, connector: &Connector, tree: &Tree) -> Result<(), Error> {
        let ids = tree.node.get("operations").and_then(|node| node.as_map()).into_iter().flatten();
        for (id, _) in ids {
            let Some(listing) = self.operation(&id.value).and_then(|operation| operation.list.as_ref())
            else {
                continue;
            };
            if let Some(bound) = listing.window.iter().flat_map(|window| window.inputs()).find(|bound| {
                self.operation(&id.value).is_some_and(|operation| operation.input(bound).is_none())
            }) {
                let reason = format!("`{id}`: `window` names `{bound}`, which is no input of the operation");
                let place = ["operations", id.value.as_str(), "list", "window"];
                return Err(tree.invalid(Some(tree.node.span_at(&place)), reason));
            }
            let is_poller = |name: &&str| {
                let named = self.operation(name);
                named.is_some_and(|named| named.is_poller() && named.connector == connector.connector)
            };
            if let Some(name) = listing.per_parent.operations().find(|name| !is_poller(name)) {
                let reason =
                    format!("`{id}`: `per_parent` names `{name}`, which is no poller of this connector");
                let place = ["operations", id.value.as_str(), "list", "per_parent"];
                return Err(tree.invalid(Some(tree.node.span_at(&place)), reason));
            }
        }
        Ok(())
    }

    /// The operation `id`.
    pub fn operation(&self, id: &str) -> Option<&Arc<Operation>> {
        self.operations.get(id).map(Entry::read)
    }

    /// The operation `id` in a version of its API, or in the default version for `None`. Returns `None` if that
    /// version lacks it. Built-in operations have no versions.
    pub fn operation_in(&self, id: &str, version: Option<&str>) -> Option<&Arc<Operation>> {
        let entry = self.operations.get(id)?;
        let connector = self.connectors.get(&entry.connector)?;
        match version {
            Some(version) if version != connector.versions.base && entry.read().builtin.is_none() => {
                entry.read_in(version, connector)
            }
            _ => Some(entry.read()),
        }
    }

    /// The operation `id` in the same version as `operation`, or in the default version.
    pub fn sibling(&self, operation: &Operation, id: &str) -> Option<&Arc<Operation>> {
        self.operation_in(id, operation.api.as_deref()).or_else(|| self.operation(id))
    }

    /// Ids of all operations, without parsing them.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.operations.keys().map(String::as_str)
    }

    /// A hash of all files that it was read from.
    pub fn fingerprint(&self) -> Sha256 {
        self.fingerprint.clone()
    }

    /// Addresses of those operations of `connector` that are single requests, in file order, without parsing the
    /// rest.
    pub fn addresses<'a>(&'a self, connector: &'a str) -> impl Iterator<Item = Address> + 'a {
        self.operations.values().filter(move |entry| entry.connector == connector).filter_map(Entry::address)
    }

    /// All operations, by connector, in file order. Parses them all; meant for listings.
    pub fn operations(&self) -> impl Iterator<Item = &Arc<Operation>> {
        self.operations.values().map(Entry::read)
    }

    /// The connector `name`.
    pub fn connector(&self, name: &str) -> Option<&Arc<Connector>> {
        self.connectors.get(name)
    }

    /// All connectors.
    pub fn connectors(&self) -> impl Iterator<Item = &Arc<Connector>> {
        self.connectors.values()
    }
}

/// A file of a connector, parsed.
struct Tree {
    file: SourceFile,
    node: Node,
}

impl Tree {
    fn parse(path: &str, text: &str) -> Result<Self, Error> {
        let file = SourceFile::new(path, text);
        let parsed = source::parse(&file);
        let tree = Self { file, node: parsed.node.unwrap_or_default() };
        match parsed.errors.into_iter().next() {
            Some(error) => Err(tree.invalid(Some(error.span), error.message)),
            None => Ok(tree),
        }
    }

    fn read<T: serde::de::DeserializeOwned>(&self) -> Result<T, Error> {
        source::read(&self.node).map_err(|ReadError { message, span }| self.invalid(span, message))
    }

    fn invalid(&self, span: Option<Span>, reason: String) -> Error {
        let line = span.map(|span| self.file.position(span.start).line);
        Error::Invalid { file: self.file.name().to_owned(), reason, line }
    }

    /// Whether the placeholders of `operation`, which stands at `keys`, name something.
    fn check_placeholders(&self, operation: &Operation, keys: &[&str]) -> Result<(), Error> {
        let Some((within, reason)) = operation.wrong_placeholder() else { return Ok(()) };
        let place: Vec<&str> = keys.iter().copied().chain(within.iter().map(String::as_str)).collect();
        Err(self.invalid(Some(self.node.span_at(&place)), format!("`{}`: {reason}", operation.id)))
    }
}

/// Checks that each reconciled event states what happened to its record.
fn check_reconcile(connector: &Connector, tree: &Tree) -> Result<(), Error> {
    let unknown = |(_, event): &(&String, &EventType)| event.reconcile.is_some() && event.change.is_none();
    let Some((name, _)) = connector.events.iter().find(unknown) else { return Ok(()) };
    let reason =
        format!("`{name}` has `reconcile` but no `change`: write `change: new`, `changed` or `removed`");
    Err(tree.invalid(Some(tree.node.key_span_at(&["events", name])), reason))
}

/// Checks that all signatures of `connector` are usable.
fn check_signatures(connector: &Connector, tree: &Tree) -> Result<(), Error> {
    let signatures = connector.webhooks.as_ref().map_or(&[][..], |webhooks| &webhooks.signatures);
    let only_legacy = !signatures.is_empty() && signatures.iter().all(|signature| signature.legacy);
    let wrong = signatures.iter().enumerate().find_map(|(at, signature)| {
        let reason = signature.complaint()?;
        Some((at, format!("the signature in the header `{}` proves nothing: {reason}", signature.header)))
    });
    let only_legacy = only_legacy.then(|| {
        (0, "every signature is `legacy`, so that none would be looked at; one must be current".to_owned())
    });
    let Some((at, reason)) = wrong.or(only_legacy) else { return Ok(()) };
    let place = ["webhooks", "signatures", &at.to_string(), "header"];
    Err(tree.invalid(Some(tree.node.span_at(&place)), reason))
}

/// Parses JSON written by `build.rs`, with the same YAML reader as files of a workspace: another format would
/// instantiate the deserializers of all catalog types once more.
///
/// # Panics
/// Never in a released program: a test parses everything.
fn read_built_in<T: serde::de::DeserializeOwned>(name: &str, json: &str) -> T {
    let value: serde_json::Value = serde_json::from_str(json).expect("build.rs wrote JSON");
    source::read(&Node::from(value)).unwrap_or_else(|error| panic!("{name}: {error}"))
}
