//! What descriptions cannot say or say wrongly.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;

use crate::source::{SourceFile, read_text};

/// The overlay file of an import.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlay {
    /// First part of derived ids; usually the connector's name. Ids of `operations` stand as they are.
    #[serde(default)]
    pub prefix: Option<String>,
    /// Header parameter that holds an operation's version.
    #[serde(default)]
    pub version_header: Option<String>,
    /// Security scheme → kinds of token that satisfy it.
    #[serde(default)]
    pub access: IndexMap<String, Vec<String>>,
    /// Import only the operations that are listed here.
    #[serde(default)]
    pub only_listed: bool,
    /// Inputs that a connection's settings fill; derived examples leave them out.
    #[serde(default)]
    pub filled: Vec<String>,
    /// Other names for the first word of derived ids: `links` → `trigger_links`.
    #[serde(default)]
    pub rename: IndexMap<String, String>,
    /// How words are written in derived titles: `csv` → `CSV`.
    #[serde(default)]
    pub words: IndexMap<String, String>,
    /// A place for YAML anchors; not read.
    #[serde(default)]
    pub shapes: Value,
    /// Corrections of named schemas, wherever they are used: `contacts.json#Name` → merge patch on
    /// the shape.
    #[serde(default)]
    pub schemas: BTreeMap<String, Value>,
    /// The description's generator declares the members of lists as lists themselves, which they are not.
    /// They are read as the lists' own members, and the shapes say that they are doubtful.
    #[serde(default)]
    pub flatten_lists: bool,
    /// Where requests are meant to differ from the description, by our id.
    #[serde(default)]
    pub differences: BTreeMap<String, Difference>,
    /// Operations by our id.
    #[serde(default)]
    pub operations: IndexMap<String, OverlayOperation>,
}

/// How the requests of an operation are meant to differ from what the description says of them. Nothing is
/// derived from it: it records the corrections that `operations` makes, for tests that compare requests with the
/// description.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Difference {
    /// Inputs that the description does not have.
    pub adds: Vec<String>,
    /// Inputs that it requires and the API does not need.
    pub spares: Vec<String>,
    /// Inputs of which the API needs one, though the description requires none.
    pub asks: Vec<String>,
    /// Numbers that it declares as text.
    pub numbers: Vec<String>,
    /// Allowed values of inputs that it does not list.
    pub values: IndexMap<String, Vec<Value>>,
    /// Names that it has beside another one of the same field; hob sends the other one.
    pub names: IndexMap<String, String>,
    /// How it is known.
    pub source: String,
}

/// An operation of the overlay: where it is described, and a merge patch on what the description
/// says. Without a summary the rules give it title, summary and list facts, as to operations that the
/// overlay does not name, before the patch is laid over them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct OverlayOperation {
    /// `GET /contacts/{contactId}`. Absent: the patch is the whole operation.
    #[serde(default)]
    pub from: Option<String>,
    /// Where the described answer really stands: `$.message`, `$.associations[*]`.
    #[serde(default)]
    pub response_at: Option<String>,
    /// The patch, in the terms of the connector files.
    #[serde(flatten)]
    pub patch: serde_json::Map<String, Value>,
}

impl Overlay {
    /// Reads an overlay. The error says where it is wrong.
    pub fn read(text: &str) -> Result<Self, String> {
        let file = SourceFile::new("overlay.yaml", text);
        read_text(&file).map_err(|error| {
            let at = file.position(error.span.unwrap_or_default().start);
            format!("line {}, column {}: {}", at.line, at.column, error.message)
        })
    }

    /// Method and path of every operation that the overlay knows.
    pub(super) fn known(&self) -> BTreeSet<&str> {
        self.operations.values().filter_map(|entry| entry.from.as_deref()).collect()
    }
}
