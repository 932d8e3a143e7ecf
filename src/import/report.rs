//! The findings of an import.

use std::collections::BTreeMap;

use serde::Serialize;

use super::finding::{FindingKind, Treatment};

/// A defect at one place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// The document's path; empty for the overlay itself.
    pub document: String,
    /// Method and path of the operation, `GET /contacts/`, if it concerns one.
    pub operation: String,
    /// The defect.
    #[serde(rename = "defect")]
    pub kind: FindingKind,
    /// The affected name, reference or type.
    pub detail: String,
}

/// The report of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Documents read.
    pub documents: usize,
    /// Operations described in them.
    pub described: usize,
    /// Operations written.
    pub operations: usize,
    /// Pollers among them.
    pub pollers: usize,
    /// Pollers with an inferred listing.
    pub pollers_derived: usize,
    /// Those among them without guesses.
    pub pollers_certain: usize,
    /// Findings by document, operation and defect, without duplicates.
    pub findings: Vec<Finding>,
}

impl Report {
    /// The number of findings by defect.
    pub fn counts(&self) -> BTreeMap<FindingKind, usize> {
        let mut counts = BTreeMap::new();
        for finding in &self.findings {
            *counts.entry(finding.kind).or_insert(0) += 1;
        }
        counts
    }

    /// The number of findings with this treatment.
    pub fn treated(&self, treatment: Treatment) -> usize {
        self.findings.iter().filter(|finding| finding.kind.treatment() == treatment).count()
    }
}
