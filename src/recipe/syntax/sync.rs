//! A recipe that keeps two kinds of records equal; it stands for ordinary recipes.

use std::borrow::Cow;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::{
    Action, DurationText, IntervalText, KeptPolicy, LaneOnFailure, Mapping, OneOrMany, PollWindow,
    RemovedLimitText,
};
use crate::source::{Node, Spanned};

/// Keeps two kinds of records equal. It stands for ordinary recipes, one for each direction, which `hob expand` shows;
/// they are what is checked and run.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "sync recipe")]
pub struct SyncRecipe {
    /// Unique name. The recipes that it stands for are called `NAME/ONE-to-OTHER`; cursors, history and links belong
    /// to these names.
    #[schemars(example = &"contacts")]
    pub name: Spanned<String>,
    /// What it is for, in one sentence.
    pub description: Option<String>,
    /// Which connection of `hob.yaml` to use for a connector. Not needed for a connector that has only one connection.
    #[schemars(example = serde_json::json!({ "highlevel": "studio-1" }))]
    pub connections: Option<IndexMap<Spanned<String>, Spanned<String>>>,
    /// What is kept equal, and how.
    pub sync: Spanned<Sync>,
    /// Steps after a run has failed or was parked, as in any recipe.
    pub on_failure: Option<Vec<Spanned<Action>>>,
    /// What to do where an API accepts a write and does not keep what was sent.
    #[schemars(example = &"fail")]
    pub kept: Option<Spanned<KeptPolicy>>,
    /// Time limit of a run, including retries and waits.
    #[schemars(example = &"1h")]
    pub timeout: Option<DurationText>,
    /// The effect of a failed run on later runs about the same record.
    pub lane_on_failure: Option<LaneOnFailure>,
}

/// Two sides, how their records are matched, and which fields go where. An empty value is never written over another
/// one.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "sync")]
pub struct Sync {
    /// The two sides, under names of your choice; a side that is called like a connector is on that connector.
    #[schemars(example = serde_json::json!({ "highlevel": { "record": "contact" }, "fitr": { "record": "client" } }))]
    pub sides: Spanned<IndexMap<Spanned<String>, Spanned<SyncSide>>>,
    /// Fields (names under `fields`) by which the other record is found where none is linked yet, the first one first.
    /// Once found or created, two records are linked and stay so, whatever changes.
    #[serde(rename = "match")]
    #[schemars(example = &"email")]
    pub matching: OneOrMany<Spanned<String>>,
    /// The fields, under names of your choice.
    pub fields: Spanned<IndexMap<Spanned<String>, SyncField>>,
    /// Where records are created that are missing: `both`, `none` or `to-SIDE`. Default: where fields go.
    #[schemars(example = &"to-highlevel")]
    pub create: Option<Spanned<String>>,
    /// Where fields of existing records are updated: `both` (the default), `none` or `to-SIDE`.
    #[schemars(example = &"both")]
    pub update: Option<Spanned<String>>,
    /// Where a record is deleted when the one that it is linked with is gone: `none` (the default), `both` or
    /// `to-SIDE`. To see that one is gone, the whole list is read with each poll.
    #[schemars(example = &"to-fitr")]
    pub delete: Option<Spanned<String>>,
    /// Which value wins where a field was changed on both sides: `last-writer` (the default), by the records' times of
    /// change, or that of one side, by its name. Conflicts are in the log and in the history of the run.
    #[schemars(example = &"last-writer")]
    pub conflict: Option<Spanned<String>>,
}

/// One side: a kind of record, and how hob hears of changes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(
    title = "side",
    extend("not" = { "required": ["every", "webhook"] }),
    extend("dependencies" = { "reconcile": ["webhook"] })
)]
pub struct SyncSide {
    /// The connector. Default: the side's name.
    #[schemars(example = &"highlevel")]
    pub connector: Option<Spanned<String>>,
    /// The connection of `hob.yaml`, where both sides are on one connector.
    #[schemars(example = &"studio-2")]
    pub connection: Option<Spanned<String>>,
    /// The kind of record, one of those under `records` of the connector. Without it, name the operations.
    #[schemars(example = &"contact")]
    pub record: Option<Spanned<String>>,
    /// The interval of its poll, or two between which it adapts. Default: `5m`.
    #[schemars(example = &"5m", example = &"1m..15m")]
    pub every: Option<IntervalText>,
    /// Inputs of its poll, such as a filter.
    #[schemars(example = serde_json::json!({ "status": "Active" }))]
    pub with: Option<Mapping>,
    /// What the first poll does with existing records: `now`, the default, leaves them until they change; `all` takes
    /// them all.
    #[schemars(example = &"all")]
    pub start: Option<Spanned<String>>,
    /// With `delete`: how many of its known records may be gone at once, as in a poll trigger. Default: `10%`.
    #[schemars(example = &"10%")]
    pub removed_limit: Option<RemovedLimitText>,
    /// Of a list that answers only for a window of time: how wide the window of its polls is, as in a poll trigger.
    #[schemars(with = "Option<PollWindow>", example = serde_json::json!({ "past": "7d", "ahead": "60d" }))]
    pub window: Option<Node>,
    /// Events of the connector that tell of new and changed records, instead of a poll.
    #[schemars(example = serde_json::json!(["highlevel.ContactCreate", "highlevel.ContactUpdate"]))]
    pub webhook: Option<OneOrMany<Spanned<String>>>,
    /// With `webhook`: poll at this interval for events that the sender lost.
    #[schemars(example = &"6h")]
    pub reconcile: Option<DurationText>,
    /// Instead of that of the kind: the poller that lists the records.
    #[schemars(example = &"crm.people.list")]
    pub list: Option<Spanned<String>>,
    /// Instead of that of the kind: the read of one record by its id.
    #[schemars(example = &"crm.people.get")]
    pub read: Option<Spanned<String>>,
    /// Besides those of the kind: reads that find a record by a field, which they take as an input of its name.
    #[schemars(example = serde_json::json!({ "email": "crm.people.list" }))]
    pub find: Option<IndexMap<Spanned<String>, Spanned<String>>>,
    /// Instead of that of the kind: the operation that creates a record.
    #[schemars(example = &"crm.people.create")]
    pub create: Option<Spanned<String>>,
    /// Instead of that of the kind: the operation that sets fields of one by its id.
    #[schemars(example = &"crm.people.update")]
    pub update: Option<Spanned<String>>,
    /// Instead of that of the kind: the operation that deletes one by its id.
    #[schemars(example = &"crm.people.delete")]
    pub delete: Option<Spanned<String>>,
}

/// A field: under the name of each side what it is there, and `direction` or `owner`.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct SyncField(pub Node);

/// What a field is on one side, if more than its name.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "field of a side")]
pub struct SyncFieldSide {
    /// Its name there.
    #[schemars(example = &"full_name")]
    pub field: Option<Spanned<String>>,
    /// What it gets, one `{{ … }}`, where `record` is the record of the other side. Default: the other side's field as
    /// it is. Where something that it reads is missing, nothing is written.
    #[schemars(example = &"{{ record.phone | e164('GB') }}")]
    pub value: Option<Spanned<String>>,
}

impl JsonSchema for SyncField {
    fn schema_name() -> Cow<'static, str> {
        "SyncField".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let side = generator.subschema_for::<SyncFieldSide>();
        json_schema!({
            "title": "synced field",
            "description": "A field. Under the name of each side: what the field is called there (default: its name here), or `field` and `value`.",
            "type": "object",
            "properties": {
                "direction": {
                    "type": "string",
                    "description": "Where its changes go: `both` (the default without `owner`) or `to-SIDE`. A change on the other side is left alone then.",
                    "examples": ["to-fitr"]
                },
                "owner": {
                    "type": "string",
                    "description": "The side whose value counts. A change on the other side is set back. With `direction: both` changes go both ways, and the owner's wins where both sides were changed.",
                    "examples": ["fitr"]
                }
            },
            "additionalProperties": { "anyOf": [{ "type": "string" }, side] },
            "examples": [{ "highlevel": "firstName", "fitr": { "field": "full_name", "value": "{{ record.firstName }}" } }]
        })
    }
}
