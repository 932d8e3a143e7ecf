//! A step.

use std::time::Duration;

use super::syntax::{KeptPolicy, OnError, OnMissing, Pages, UnchangedPolicy};
use crate::source::{Span, Spanned};
use crate::template::{LocatedTemplate, TemplateTree};
use crate::value::Backoff;

/// Name of the item in a `for_each` without `as`.
pub const DEFAULT_ITEM: &str = "item";

/// One step: an operation and its inputs.
#[derive(Debug, Clone)]
pub struct Action {
    /// The given id, or one derived from the operation's last word and the step's number; unique in the recipe.
    pub id: String,
    /// The id in the recipe.
    pub given_id: Option<Spanned<String>>,
    /// The operation's id.
    pub operation: Spanned<String>,
    /// Its inputs, a mapping.
    pub with: TemplateTree,
    /// `if`: the step is skipped when this is false.
    pub condition: Option<LocatedTemplate>,
    /// The list of a `for_each`.
    pub for_each: Option<LocatedTemplate>,
    /// `as`: name of the item.
    pub item_name: String,
    /// Its span, if given.
    pub item_span: Option<Span>,
    /// JSONPath of the result in the answer.
    pub pick: Option<Spanned<String>>,
    /// How much of a list to read, if given.
    pub pages: Option<Spanned<Pages>>,
    /// The retry policy.
    pub retry: Retry,
    /// Those of `retry`, `timeout` and `version` that the recipe sets; they concern requests only.
    pub request_fields: Vec<Spanned<&'static str>>,
    /// The effect of a failure on the run.
    pub on_error: OnError,
    /// What it means that the record is not there.
    pub on_missing: OnMissing,
    /// What to do where the API does not keep what was sent.
    pub kept: KeptPolicy,
    /// What to do with a write that would change nothing.
    pub unchanged: UnchangedPolicy,
    /// The connection to use instead of the recipe's.
    pub connection: Option<Spanned<String>>,
    /// Time limit of one attempt.
    pub timeout: Option<Duration>,
    /// API version to use.
    pub version: Option<Spanned<String>>,
    /// Span of the whole step.
    pub span: Span,
}

/// A retry policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in total, at least 1.
    pub attempts: u32,
    /// Delays between them.
    pub backoff: Backoff,
}

impl Default for Retry {
    fn default() -> Self {
        let backoff = Backoff::new(Duration::from_secs(2), Duration::from_secs(300));
        Self { attempts: 5, backoff }
    }
}
