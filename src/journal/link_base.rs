//! What two linked records had when they were last made equal.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What the records at both ends of a link had when they were last made equal.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LinkBase {
    /// How often that was noted: it tells whether somebody else did meanwhile.
    pub revision: u64,
    /// What it was, in the form of each side.
    #[serde(flatten)]
    pub values: BaseValues,
}

/// Field by field, what the records at both ends have.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BaseValues {
    /// The record at the end `from`.
    pub from: Map<String, Value>,
    /// The record at the end `to`.
    pub to: Map<String, Value>,
}

/// What became of values that were to be noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BaseWrite {
    /// They are stored, now or since before.
    Saved,
    /// Nothing was stored: others were noted since those that the caller knows.
    Outdated,
    /// Nothing was stored: there is no such link.
    Unlinked,
}

impl LinkBase {
    /// Whether nothing was ever noted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
