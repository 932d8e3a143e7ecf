//! What a test came to.

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use super::coverage::Coverage;
use crate::catalog::Effect;
use crate::run::RunState;
use crate::source::Span;
use crate::value::Difference;

/// Most characters of a value that is shown.
const MAX_VALUE: usize = 300;

/// What a test came to.
#[derive(Debug, Clone)]
pub struct CaseOutcome {
    /// Name of the test.
    pub name: String,
    /// The place of its name.
    pub span: Span,
    /// How it differs from what is expected; empty if it passed.
    pub failures: Vec<Failure>,
    /// What the test's author should know of a test that passed: answers that were never given.
    pub remarks: Vec<String>,
    /// How the run ended; none if it did not run.
    pub state: Option<RunState>,
    /// The reason that the run gives.
    pub reason: Option<String>,
    /// The requests, in order.
    pub sent: Vec<SentRequest>,
    /// The links that the test asks for, by name and one end: the other end, and what is noted of them.
    pub links: HashMap<(String, String), Option<Value>>,
    /// What it covered of its recipe.
    pub coverage: Coverage,
    /// How long it took.
    pub took: Duration,
}

impl CaseOutcome {
    /// Whether everything was as expected.
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

/// Something that is not as expected.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The expectation.
    pub span: Span,
    /// What is not as expected.
    pub message: String,
    /// The values that differ.
    pub differences: Vec<Difference>,
    /// Where in the recipe, or what to do.
    pub help: Option<String>,
}

impl Failure {
    /// A failure without values.
    pub(super) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), differences: Vec::new(), help: None }
    }
}

/// A request that the recipe sent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SentRequest {
    /// The operation.
    pub operation: String,
    /// Its inputs, as under `with` in a recipe.
    pub inputs: Map<String, Value>,
    /// The effect of sending it twice.
    pub effect: Effect,
    /// How it was answered.
    pub answered: Answered,
}

/// How a request was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answered {
    /// By the test, with this status.
    Stub(u16),
    /// By a sample made from the catalog.
    Sample,
    /// Not at all.
    Lost,
}

/// A difference as one line, such as `email: expected "a", sent "b"`.
pub fn in_words(difference: &Difference) -> String {
    let Difference { path, expected, found } = difference;
    let shown = |value: &Option<Value>| value.as_ref().map_or("nothing".to_owned(), shortened);
    let place = if path.is_empty() { String::new() } else { format!("{path}: ") };
    format!("{place}expected {}, found {}", shown(expected), shown(found))
}

/// A value as JSON, cut if it is long.
fn shortened(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(MAX_VALUE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
