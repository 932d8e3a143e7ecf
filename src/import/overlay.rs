//! Corrections of descriptions.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;

use crate::catalog::FileKind;
use crate::source::{SourceFile, read_text};

/// The overlay file of an import.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Overlay {
    /// First part of derived ids; usually the connector's name. Ids in `operations` are used unchanged.
    pub prefix: Option<String>,
    /// Header parameter with an operation's version.
    pub version_header: Option<String>,
    /// Security scheme → kinds of token that satisfy it.
    pub access: IndexMap<String, Vec<String>>,
    /// Import only the operations that are listed here.
    pub only_listed: bool,
    /// Inputs provided by a connection's settings; derived examples omit them.
    pub filled: Vec<String>,
    /// Other names for the first word of derived ids: `links` → `trigger_links`.
    pub rename: IndexMap<String, String>,
    /// Spellings of words in derived titles: `csv` → `CSV`.
    pub words: IndexMap<String, String>,
    /// A place for YAML anchors; ignored.
    pub shapes: Value,
    /// Corrections of named schemas, wherever they are used: `contacts.json#Name` → merge patch of the shape.
    pub schemas: BTreeMap<String, Value>,
    /// The description's generator wrongly declares list items as lists. They are read as items, and their shapes are
    /// marked as doubtful.
    pub flatten_lists: bool,
    /// Intended differences of requests from the description, by operation id.
    pub differences: BTreeMap<String, Difference>,
    /// Operations by id.
    pub operations: IndexMap<String, OverlayOperation>,
}

/// Intended differences of an operation's requests from its description. Not used by the import: it documents the
/// corrections in `operations`, for tests that compare requests with the description.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Difference {
    /// Inputs that the description does not have.
    pub adds: Vec<String>,
    /// Required inputs that the API does not need.
    pub spares: Vec<String>,
    /// Optional inputs of which the API needs one.
    pub asks: Vec<String>,
    /// Numbers declared as text.
    pub numbers: Vec<String>,
    /// Allowed values that are not listed.
    pub values: IndexMap<String, Vec<Value>>,
    /// Names of fields that are described under two names; hob sends the other one.
    pub names: IndexMap<String, String>,
    /// The source of this knowledge.
    pub source: String,
}

/// An operation of the overlay: its place in the description, and a merge patch. Without a summary, title, summary
/// and listing are inferred as for other operations, before the patch is applied.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct OverlayOperation {
    /// `GET /contacts/{contactId}`. Absent if the patch is the whole operation.
    pub from: Option<String>,
    /// Where the described answer really is: `$.message`, `$.associations[*]`.
    pub response_at: Option<String>,
    /// The patch, in the format of connector files.
    #[serde(flatten)]
    pub patch: serde_json::Map<String, Value>,
}

impl Overlay {
    /// Parses an overlay. The error has the place.
    pub fn read(text: &str) -> Result<Self, String> {
        let file = SourceFile::new(FileKind::Overlay.to_string(), text);
        read_text(&file).map_err(|error| {
            let at = file.position(error.span.unwrap_or_default().start);
            format!("line {}, column {}: {}", at.line, at.column, error.message)
        })
    }

    /// Method and path of every operation in the overlay.
    pub(super) fn known(&self) -> BTreeSet<&str> {
        self.operations.values().filter_map(|entry| entry.from.as_deref()).collect()
    }
}
