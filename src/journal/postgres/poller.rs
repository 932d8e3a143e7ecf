//! Pollers' cursors and the records they have seen.

use std::collections::HashMap;

use crate::journal::{Claim, Progress};

use super::failure::Failure;
use super::row::{escape_nul, number};

/// Progress as rows.
pub(super) struct Step {
    pub(super) key: String,
    pub(super) cursor: String,
    pub(super) scan: i64,
    pub(super) reset: bool,
    pub(super) beside: bool,
    pub(super) forgotten: Vec<String>,
    /// The claim on the cursor.
    pub(super) claim: Option<Claim>,
    /// Records and fingerprints, without duplicates.
    seen: Vec<(String, String)>,
}

impl Step {
    /// The rows of `progress`.
    pub(super) fn new(progress: Progress) -> Result<Self, Failure> {
        let mut last = HashMap::new();
        let mut seen: Vec<(String, String)> = Vec::with_capacity(progress.seen.len());
        for one in progress.seen {
            let row = (escape_nul(&one.record).into_owned(), escape_nul(&one.fingerprint).into_owned());
            let place = *last.entry(one.record).or_insert(seen.len());
            if place == seen.len() { seen.push(row) } else { seen[place] = row }
        }
        Ok(Self {
            cursor: serde_json::to_string(&progress.cursor)?,
            scan: number(progress.cursor.scan),
            key: escape_nul(&progress.cursor.key.0).into_owned(),
            reset: progress.reset,
            beside: progress.beside,
            forgotten: progress.forgotten.iter().map(|record| escape_nul(record).into_owned()).collect(),
            claim: progress.claim,
            seen,
        })
    }

    /// Records and fingerprints.
    pub(super) fn seen(&self) -> (Vec<&str>, Vec<&str>) {
        self.seen.iter().map(|(record, print)| (&**record, &**print)).unzip()
    }
}
