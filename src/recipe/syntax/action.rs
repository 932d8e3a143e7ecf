//! One step.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Condition, DurationText, KeptPolicy, Mapping, TemplateText, UnchangedPolicy};
use crate::source::Spanned;

/// One step: an operation and its inputs.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "action", extend("dependencies" = { "as": ["for_each"] }))]
pub struct Action {
    /// Name under which later steps find its result, as `steps.NAME`.
    #[schemars(example = &"contact")]
    pub id: Option<Spanned<String>>,
    /// The operation: `hob catalog list --kind action` lists them.
    #[serde(rename = "do")]
    #[schemars(example = &"contacts.upsert")]
    pub operation: Spanned<String>,
    /// Its inputs: path and query parameters and the fields of the body side by side, with templates
    /// wherever there is text.
    #[schemars(example = serde_json::json!({ "email": "{{ event.email | lower }}" }))]
    pub with: Option<Mapping>,
    /// The step is skipped when this is false; its result is then null.
    #[serde(rename = "if")]
    #[schemars(example = &"{{ steps.contact.new }}")]
    pub condition: Option<Condition>,
    /// A list: the step runs once per item, and its result is the list of results.
    #[schemars(example = &"{{ event.notes }}")]
    pub for_each: Option<TemplateText>,
    /// Name of the item in a `for_each`. Default: `item`.
    #[serde(rename = "as")]
    #[schemars(example = &"note")]
    pub item_name: Option<Spanned<String>>,
    /// JSONPath of the result within the answer; `$` is the whole answer. Default: the operation's
    /// own result path.
    #[schemars(example = &"$.contact.id")]
    pub pick: Option<Spanned<String>>,
    /// How much of a list to read. Without it a step that reads a list gets one page, and `run.more`
    /// names the step if there is more.
    #[schemars(example = &"all")]
    pub pages: Option<Spanned<Pages>>,
    /// How the step is retried.
    pub retry: Option<Spanned<Retry>>,
    /// What a failure of this step means for the run.
    pub on_error: Option<OnError>,
    /// What it means that the record is not there: the API answers 404, or what its connector declares to mean that.
    #[schemars(example = &"continue")]
    pub on_missing: Option<Spanned<OnMissing>>,
    /// What to do where the API accepts the write and the answer shows that it did not keep what was sent. Default:
    /// what the recipe says.
    #[schemars(example = &"fail")]
    pub kept: Option<Spanned<KeptPolicy>>,
    /// What to do with a write that would change nothing. Default: what the recipe says.
    #[schemars(example = &"send")]
    pub unchanged: Option<Spanned<UnchangedPolicy>>,
    /// The connection of `hob.yaml` to use for this step.
    #[schemars(example = &"studio-2")]
    pub connection: Option<Spanned<String>>,
    /// Time limit of one attempt.
    #[schemars(example = &"30s")]
    pub timeout: Option<DurationText>,
    /// Version of the API to use, if the connector offers several.
    #[schemars(example = &"v3")]
    pub version: Option<Spanned<String>>,
}

/// How failures that may be temporary are retried.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "retry")]
pub struct Retry {
    /// Attempts in total, the first one included. Default: 5.
    #[schemars(example = 5, range(min = 1, max = 1000))]
    pub attempts: Option<Spanned<i64>>,
    /// Shortest and longest delay between attempts; delays double and are randomised. Default: `2s..5m`.
    #[schemars(example = &"2s..5m")]
    pub backoff: Option<Spanned<String>>,
}

/// How much of a list a step reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Pages {
    /// All pages, up to 10,000 records or 16 MiB: a longer list fails the step. The result is stored in the run's
    /// history, so unbounded lists are better polled.
    All,
}

/// What a failed step means for the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnError {
    /// The run fails (the default).
    #[default]
    Fail,
    /// The run continues; the step's result is null.
    Continue,
}

/// What it means that the record of a step is not there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnMissing {
    /// The step fails (the default).
    #[default]
    Fail,
    /// The step succeeds; its result is null.
    Continue,
}
