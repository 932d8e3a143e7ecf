//! What an operation does, as `sandbox.yaml` says it: a verb on a collection, and steps around it.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::template::Template;

/// What a step does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verb {
    /// Nothing but answer.
    #[default]
    Nothing,
    /// Several records, page by page.
    List,
    /// One record by id.
    Get,
    /// The first record that fits, or none.
    Find,
    /// A new record.
    Create,
    /// A change of the record that fits, else a new one.
    Upsert,
    /// A change of the fields given.
    Update,
    /// A record goes.
    Delete,
    /// All records that fit go; none is fine too.
    DeleteAll,
    /// Members are added to a field's list.
    AddToSet,
    /// Members are taken from a field's list.
    RemoveFromSet,
    /// Free times within a window, by day.
    Slots,
}

/// What a request does. The fields that a verb does not use are ignored.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Behaviour {
    pub(super) verb: Verb,
    /// The collection.
    #[serde(rename = "in")]
    pub(super) collection: String,
    /// Done only if this holds.
    #[serde(rename = "if")]
    pub(super) condition: Option<Template>,
    /// Done for each member of this list, as `item`.
    pub(super) each: Option<Template>,
    /// What each round leaves, collected into the list `collected`.
    pub(super) collect: Option<Template>,
    /// Name under which later steps and the answer see the result.
    #[serde(rename = "as")]
    pub(super) name: Option<String>,
    /// Id of the record; default: the last path parameter.
    pub(super) id: Option<Template>,
    /// Records that must exist: collection → id.
    pub(super) needs: IndexMap<String, Template>,
    /// Requests to refuse beforehand.
    pub(super) refuse: Vec<Refuse>,
    /// No such record is no reason to refuse.
    pub(super) missing_ok: bool,
    /// Fields that must be equal; undefined ones do not count. A new record gets them.
    #[serde(rename = "where")]
    pub(super) equal: IndexMap<String, Template>,
    /// As `where`, but one of them is enough.
    pub(super) either: IndexMap<String, Template>,
    /// Fields between two bounds.
    pub(super) between: Vec<Between>,
    /// Words to look for.
    pub(super) text: Option<Words>,
    /// A tree of conditions that the request brings.
    pub(super) filters: Option<Filters>,
    /// For `find` and `upsert`: fields to try one after the other.
    #[serde(rename = "match")]
    pub(super) matching: IndexMap<String, Template>,
    /// For `upsert`: all of `match` must fit, not one.
    pub(super) match_all: bool,
    /// The fields given; default: the body.
    pub(super) from: Option<Template>,
    /// Fields that are not stored.
    pub(super) omit: Vec<String>,
    /// Fields stored under another name.
    pub(super) rename: IndexMap<String, String>,
    /// Fields set besides, or instead.
    pub(super) set: IndexMap<String, Template>,
    /// For sets: the field.
    pub(super) field: String,
    /// For sets: the members.
    pub(super) values: Option<Template>,
    /// Order of a list.
    pub(super) sort: Option<Sort>,
    /// How a list is paged, where the catalog's word on it is not enough.
    pub(super) page: PageRule,
    /// For slots: window, hours and the taken times.
    pub(super) slots: Option<Slots>,
    /// Steps before.
    pub(super) before: Vec<Behaviour>,
    /// Steps after.
    pub(super) after: Vec<Behaviour>,
    /// Status of a success; default: 201 for a create by POST, else 200.
    pub(super) status: Option<u16>,
    /// The whole answer; default: the result where the catalog says it stands.
    pub(super) answer: Option<Template>,
    /// Further fields of the answer.
    pub(super) extra: IndexMap<String, Template>,
    /// Further fields of each listed record.
    pub(super) each_extra: IndexMap<String, Template>,
    /// Fields of the records that the answer has; all when empty.
    pub(super) only: Vec<String>,
    /// Fields of listed records that the answer does not have.
    pub(super) hide: Vec<String>,
    /// JSONPath of the result; default: the catalog's.
    pub(super) at: Option<String>,
    /// For downloads: text of the file. Default: a short silence, or nothing.
    pub(super) file: Option<Template>,
    /// Inputs of a valid request, before the connector's `examples`.
    pub(super) example: IndexMap<String, Template>,
}

/// A request to refuse.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Refuse {
    /// When.
    #[serde(rename = "if")]
    pub(super) condition: Template,
    /// Name among the connector's `refusals`.
    pub(super) with: String,
    /// What is said.
    pub(super) message: Template,
}

/// A field between two bounds, both included. Times in any notation.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Between {
    /// The field.
    pub(super) field: String,
    /// The least.
    #[serde(default)]
    pub(super) from: Option<Template>,
    /// The most.
    #[serde(default)]
    pub(super) to: Option<Template>,
}

/// Words to look for, without case.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    /// The words.
    pub(super) query: Template,
    /// Fields they may stand in.
    pub(super) fields: Vec<String>,
}

/// Where a request brings a tree of conditions, and what its parts are called.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Filters {
    /// The list of conditions.
    pub(super) from: Template,
    /// Member that names the field.
    pub(super) field: String,
    /// Member that names the operator.
    pub(super) operator: String,
    /// Member with the value.
    pub(super) value: String,
    /// Member that says how a group is joined: `AND` or `OR`.
    pub(super) group: String,
    /// Member with a group's conditions.
    pub(super) members: String,
    /// The API's word for an operator → ours.
    pub(super) operators: IndexMap<String, super::condition::Operator>,
    /// Members of a range's value → our word for the bound.
    #[serde(default)]
    pub(super) bounds: IndexMap<String, super::condition::Bound>,
}

/// Order of a list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Sort {
    /// Name of the field, in the record's own words.
    pub(super) by: Template,
    /// `desc` for the greatest first; default ascending.
    #[serde(default)]
    pub(super) order: Option<Template>,
}

/// How a list is paged.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PageRule {
    /// Page size when the request names none.
    pub(super) default: Option<usize>,
    /// Page size asked for.
    pub(super) limit: Option<Template>,
    /// Items to skip.
    pub(super) skip: Option<Template>,
    /// Number of the page, from 1.
    pub(super) number: Option<Template>,
    /// The cursor. All its parts must be there, else it is not looked at.
    pub(super) after: IndexMap<CursorPart, Template>,
}

/// A part of a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum CursorPart {
    /// Value of the field that the list is sorted by.
    Sort,
    /// Id of the record.
    Id,
    /// A list of both.
    Pair,
    /// Both as one opaque text.
    Token,
}

/// Free times.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Slots {
    /// Beginning of the window.
    pub(super) from: Template,
    /// Its end.
    pub(super) to: Template,
    /// Minutes of a slot.
    pub(super) minutes: Template,
    /// First and last hour of a working day, UTC.
    pub(super) hours: (u32, u32),
    /// Field with the beginning of what is taken, in the behaviour's collection.
    pub(super) taken: String,
}
