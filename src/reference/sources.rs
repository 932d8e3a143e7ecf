//! What the pages are made of beyond the tables of the program itself.

use crate::catalog::Catalog;
use crate::value::Value;

/// Everything that the pages are made of.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// The operations.
    pub catalog: &'a Catalog,
    /// JSON Schema of `hob.yaml`.
    pub workspace: &'a Value,
    /// JSON Schema of a connector's `sandbox.yaml`.
    pub sandbox: &'a Value,
    /// Broken recipes and what is said about them.
    pub examples: &'a [Example],
    /// Exit codes, and what each means.
    pub exit_codes: &'a [(u8, &'a str)],
    /// What `/metrics` tells.
    pub metrics: Metrics<'a>,
}

/// What `/metrics` tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Metrics<'a> {
    /// All that there are.
    pub families: &'a [Metric],
    /// Most combinations of names that the samples of one have.
    pub most_names: usize,
    /// What stands in the place of names above that.
    pub other: &'static str,
}

/// Samples of one name that `/metrics` tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    /// The name.
    pub name: &'static str,
    /// `counter` or `gauge`.
    pub kind: &'static str,
    /// Names of the labels.
    pub labels: Vec<&'static str>,
    /// What it says.
    pub help: &'static str,
}

/// A broken recipe and what is said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The recipe.
    pub recipe: String,
    /// The complaints, as the terminal shows them.
    pub output: String,
}
