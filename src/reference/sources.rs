//! The inputs of the pages besides the program's tables.

use crate::catalog::Catalog;
use crate::diagnostic::Code;
use crate::value::Value;

/// The inputs of all pages.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// The operations.
    pub catalog: &'a Catalog,
    /// JSON Schema of `hob.yaml`.
    pub workspace: &'a Value,
    /// JSON Schema of a connector's `sandbox.yaml`.
    pub sandbox: &'a Value,
    /// The example of each code.
    pub examples: &'a [Example],
    /// Exit codes, and what each means.
    pub exit_codes: &'a [(u8, &'a str)],
    /// The metrics.
    pub metrics: Metrics<'a>,
}

/// The metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Metrics<'a> {
    /// All families.
    pub families: &'a [Metric],
    /// Maximum number of label combinations per family.
    pub most_names: usize,
    /// The label value for further combinations.
    pub other: &'static str,
}

/// A family of metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    /// The name.
    pub name: &'static str,
    /// `counter` or `gauge`.
    pub kind: &'static str,
    /// Names of the labels.
    pub labels: Vec<&'static str>,
    /// Its meaning.
    pub help: &'static str,
}

/// A recipe, or another file, that causes a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The code.
    pub code: Code,
    /// The file.
    pub text: String,
    /// What hob says about it in a terminal.
    pub output: String,
    /// The file without the mistake.
    pub mended: String,
}
