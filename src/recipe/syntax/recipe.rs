//! A recipe as a whole.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Action, Anything, Condition, DurationText, KeptPolicy, OneOrMany, TemplateText, Trigger, UnchangedPolicy,
};
use crate::source::Spanned;

/// A trigger and the actions it starts.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "recipe")]
pub struct Recipe {
    /// Unique name. Cursor and history belong to it, so renaming the file has no effect and renaming the recipe
    /// starts over.
    #[schemars(example = &"fitr-client-to-contact")]
    pub name: Spanned<String>,
    /// What it is for, in one sentence.
    pub description: Option<String>,
    /// Which connection of `hob.yaml` to use for a connector. A list runs the recipe once for each.
    /// Not needed for a connector that has only one connection.
    #[schemars(example = serde_json::json!({ "highlevel": "studio-1" }))]
    pub connections: Option<IndexMap<Spanned<String>, OneOrMany<Spanned<String>>>>,
    /// What starts it.
    pub trigger: Spanned<Trigger>,
    /// Events for which this is false are filtered out; the reason is recorded.
    #[schemars(example = &"{{ event.email }}")]
    pub when: Option<Condition>,
    /// Runs in the same lane are executed one at a time, in order of their events. Default: the id of the event's
    /// record.
    #[schemars(example = &"{{ event.id }}")]
    pub lane: Option<TemplateText>,
    /// Values computed once, in this order; a later one may use an earlier one as `vars.NAME`.
    #[schemars(example = serde_json::json!({ "first": "{{ event.full_name | split(' ') | first }}" }))]
    pub vars: Option<IndexMap<Spanned<String>, Anything>>,
    /// What is done, step by step.
    pub actions: Vec<Spanned<Action>>,
    /// Steps after a step has failed permanently, and after a run was parked because hob cannot tell whether a step
    /// happened. `error.message`, `error.step`, `error.status` and `error.help` describe the failure; `error.parked`
    /// is true if the run is parked.
    pub on_failure: Option<Vec<Spanned<Action>>>,
    /// What to do with an event that is only the echo of hob's own write. It is one if every field that the recipe
    /// reads is as hob wrote it last or as the event before told it; any other value runs, also when it comes together
    /// with our own write. Looked for where a recipe of the set writes what the trigger reads, in polls and in events
    /// of connectors; a webhook at a path of your own is about no record that hob knows.
    pub echo: Option<EchoPolicy>,
    /// What to do with a write that would change nothing. A step may say otherwise.
    pub unchanged: Option<Spanned<UnchangedPolicy>>,
    /// What to do where an API accepts a write and does not keep what was sent. A step may say otherwise.
    #[schemars(example = &"fail")]
    pub kept: Option<Spanned<KeptPolicy>>,
    /// Where a run goes on when a step is tried again.
    #[schemars(example = serde_json::json!({ "from": "start" }))]
    pub retry: Option<Spanned<RunRetry>>,
    /// Time limit of a run, including retries and waits.
    #[schemars(example = &"1h")]
    pub timeout: Option<DurationText>,
    /// The effect of a failed run on later runs of its lane.
    pub lane_on_failure: Option<LaneOnFailure>,
}

/// Where a run goes on when a step is tried again: by itself after a failure that may be temporary or a wait for the
/// API, after a crash of hob, or by `hob runs retry`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "run_retry")]
pub struct RunRetry {
    /// The step where it goes on.
    pub from: Spanned<RetryFrom>,
}

/// Where a run goes on when a step is tried again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RetryFrom {
    /// At that step, with what the steps before it have read (the default).
    #[default]
    Step,
    /// At the first step: what was read is read again, and everything that follows from it, conditions included, is
    /// decided again, so that no old value is written over a newer one. Only what must not be done twice stays done:
    /// creates that were sent, and waits. Updates are sent again where they still apply.
    Start,
}

/// What to do with the echo of hob's own write. A field that neither an earlier event nor hob's own write has told is
/// unknown, and the event runs; so does one that shows nothing but an id, unless `hydrate` completes it. A write
/// explains one event of each kind, and a webhook within a day. An event that comes before the answer to a write
/// waits for it, two minutes at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EchoPolicy {
    /// Its run ends as `suppressed`, with the run and the step that wrote (the default).
    #[default]
    Drop,
    /// Run it like any other event.
    Allow,
}

/// The effect of a failed run on its lane. A parked run always blocks it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LaneOnFailure {
    /// Later runs continue (the default).
    #[default]
    Skip,
    /// Later runs wait for `hob runs retry` or `hob runs skip`.
    Block,
}
