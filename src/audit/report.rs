//! What an audit found.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::finding::Finding;
use super::targets::TargetAudit;

/// What an audit found. Scripts rely on these fields.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// The recipes, in the order of their audit.
    pub recipes: Vec<RecipeAudit>,
    /// The records that recipes wrote to, if they were looked at.
    pub targets: Option<TargetAudit>,
    /// What is not as it should be.
    pub findings: Vec<Finding>,
}

/// What was looked at for a recipe.
#[derive(Debug, Default, Serialize)]
pub struct RecipeAudit {
    /// Its name.
    pub recipe: String,
    /// The lists that were compared.
    pub lists: Vec<ListAudit>,
    /// What could not be looked at, and why.
    pub notes: Vec<String>,
    /// Why the audit of the recipe ended early.
    pub error: Option<String>,
}

/// A list that was compared.
#[derive(Debug, Serialize)]
pub struct ListAudit {
    /// Its operation.
    pub list: String,
    /// The connection that it was read on.
    pub connection: String,
    /// Only records made or changed since then were looked at; null for all.
    pub since: Option<DateTime<Utc>>,
    /// The requests sent for it.
    pub requests: u64,
    /// The number of records looked at.
    pub records: u64,
    /// How many of them by the state of their last run; `none` without a run.
    pub runs: BTreeMap<&'static str, u64>,
}

impl Report {
    /// The number of differences that this audit has not mended.
    pub fn open(&self) -> usize {
        self.findings.iter().filter(|finding| finding.is_open()).count()
    }

    /// Whether something could not be read.
    pub fn is_incomplete(&self) -> bool {
        self.recipes.iter().any(|recipe| recipe.error.is_some())
            || self.targets.as_ref().is_some_and(|targets| !targets.failed.is_empty())
    }
}
