//! A parent of the records of a list that answers for one of them at a time.

use std::sync::Arc;

use serde_json::Value;

use super::detect::{self, PARENT};
use crate::catalog::Listing;

/// A parent.
#[derive(Debug, Clone)]
pub(super) struct Parent {
    /// Its id.
    pub record: String,
    /// A hash of its content.
    pub fingerprint: String,
    /// Its content.
    pub item: Arc<Value>,
    /// Its list was never read since the first pass, which could not read it: what is there counts as in that pass.
    pub is_unread: bool,
}

/// In place of the fingerprint of a parent whose list the first pass could not read.
pub(super) const UNREAD: &str = "unread";

impl Parent {
    /// The parent that this item of the list of parents is.
    pub fn new(listing: &Listing, item: Value) -> Self {
        let (record, fingerprint) = (detect::record(listing, &item), detect::content(listing, &item));
        Self { record, fingerprint, item: Arc::new(item), is_unread: false }
    }

    /// Its id and fingerprint, by which a pass knows what it has read.
    pub fn mark(&self) -> (String, String) {
        (self.record.clone(), self.fingerprint.clone())
    }

    /// Adds it to one of its items, for the event.
    pub fn join(&self, item: &mut Value) {
        if let Value::Object(fields) = item {
            fields.insert(PARENT.to_owned(), self.item.as_ref().clone());
        }
    }
}
