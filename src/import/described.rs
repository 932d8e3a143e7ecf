//! An operation of a document.

use serde_json::Value;

use crate::catalog::PathTemplate;

/// An operation of a document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Described<'a> {
    /// Path of the document.
    pub document: &'a str,
    /// The document.
    pub root: &'a Value,
    /// Method in capitals.
    pub method: &'a str,
    /// Path relative to the base URL.
    pub path: &'a str,
    /// The path item, shared by all methods.
    pub item: &'a Value,
    /// The operation itself.
    pub operation: &'a Value,
}

impl Described<'_> {
    /// `GET /contacts/`.
    pub(super) fn key(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// Methods of a path item.
pub(super) const METHODS: [&str; 6] = ["get", "post", "put", "patch", "delete", "head"];

/// The names of a path's parameters.
pub(super) fn path_names(path: &str) -> Vec<String> {
    let template = PathTemplate::try_from(path.to_owned()).unwrap_or_default();
    template.names().map(str::to_owned).collect()
}
