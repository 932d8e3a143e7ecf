//! What an import found, and what it did about it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::finding::{FindingKind, Treatment};

/// One defect at one place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// The document's path; empty for the overlay itself.
    pub document: String,
    /// Method and path of the operation, `GET /contacts/`, where it belongs to one.
    pub operation: String,
    /// What is wrong.
    #[serde(rename = "defect")]
    pub kind: FindingKind,
    /// The name, reference or type in question.
    pub detail: String,
}

/// Everything an import has to say.
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
    /// Pollers whose list facts were derived by rule.
    pub pollers_derived: usize,
    /// Those of the derived for which nothing had to be guessed.
    pub pollers_certain: usize,
    /// Findings, by document, operation and defect, each once.
    pub findings: Vec<Finding>,
}

impl Report {
    /// How often each defect was found.
    pub fn counts(&self) -> BTreeMap<FindingKind, usize> {
        let mut counts = BTreeMap::new();
        for finding in &self.findings {
            *counts.entry(finding.kind).or_insert(0) += 1;
        }
        counts
    }

    /// How many findings were treated so.
    pub fn treated(&self, treatment: Treatment) -> usize {
        self.findings.iter().filter(|finding| finding.kind.treatment() == treatment).count()
    }
}
