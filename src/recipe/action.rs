//! A step.

use std::time::Duration;

use super::syntax::{OnError, Pages};
use crate::source::{Span, Spanned};
use crate::template::{LocatedTemplate, TemplateTree};
use crate::value::Backoff;

/// Name of a `for_each` member that a recipe does not name itself.
pub const DEFAULT_ITEM: &str = "item";

/// One step: an operation and its inputs.
#[derive(Debug, Clone)]
pub struct Action {
    /// Given, or made from the operation's last word and the step's number; unique in the recipe.
    pub id: String,
    /// The id as the recipe gives it.
    pub given_id: Option<Spanned<String>>,
    /// The operation's id.
    pub operation: Spanned<String>,
    /// Its inputs, a mapping.
    pub with: TemplateTree,
    /// `if`: the step is left out when this does not hold.
    pub condition: Option<LocatedTemplate>,
    /// The list for whose members the step is done.
    pub for_each: Option<LocatedTemplate>,
    /// `as`: name of the member.
    pub item_name: String,
    /// Where `as` names it.
    pub item_span: Option<Span>,
    /// JSONPath of the result in the answer.
    pub pick: Option<Spanned<String>>,
    /// How much of a list to read, where the recipe says so.
    pub pages: Option<Spanned<Pages>>,
    /// How often and how patiently to try again.
    pub retry: Retry,
    /// `retry`, `timeout` and `version`, those that the recipe gives: they concern requests only.
    pub request_fields: Vec<Spanned<&'static str>>,
    /// What a failure means for the run.
    pub on_error: OnError,
    /// The connection to use instead of the recipe's.
    pub connection: Option<Spanned<String>>,
    /// Longest time one attempt may take.
    pub timeout: Option<Duration>,
    /// API version to use.
    pub version: Option<Spanned<String>>,
    /// Where the whole step stands.
    pub span: Span,
}

/// How often and how patiently to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in total, at least 1.
    pub attempts: u32,
    /// Pauses between them.
    pub backoff: Backoff,
}

impl Default for Retry {
    fn default() -> Self {
        let backoff = Backoff::new(Duration::from_secs(2), Duration::from_secs(300));
        Self { attempts: 5, backoff }
    }
}
