//! Something that is wrong now.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::about::About;
use crate::workspace::AlertKind;

/// Digits of an id, as of those of causes.
const DIGITS: usize = 10;

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Observation {
    /// Its identity.
    pub(super) key: String,
    pub(super) kind: AlertKind,
    /// Its id, for people.
    pub(super) id: String,
    pub(super) about: About,
    pub(super) runs: u64,
    /// When the last of its runs failed.
    pub(super) last: Option<DateTime<Utc>>,
    /// Whether it is told; failed runs of which there are no new ones are not.
    pub(super) is_active: bool,
}

impl Observation {
    pub(super) fn new(kind: AlertKind, subject: &str, about: About) -> Self {
        let key = format!("{}:{subject}", kind.name());
        let id = hex::encode(Sha256::digest(&key))[..DIGITS].to_owned();
        Self { key, kind, id, about, runs: 0, last: None, is_active: true }
    }
}

/// All that is wrong.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) observations: Vec<Observation>,
    /// Whether all causes of runs are there.
    pub(super) complete: bool,
}
