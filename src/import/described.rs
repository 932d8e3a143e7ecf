//! An operation as it stands in a document.

use serde_json::Value;

/// An operation as it stands in a document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Described<'a> {
    /// Path of the document.
    pub document: &'a str,
    /// The document.
    pub root: &'a Value,
    /// Method in capitals.
    pub method: &'a str,
    /// Path below the base URL.
    pub path: &'a str,
    /// What all methods of the path share.
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

/// Methods of a path item, as descriptions write them.
pub(super) const METHODS: [&str; 6] = ["get", "post", "put", "patch", "delete", "head"];

/// Names between braces.
pub(super) fn path_names(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}
