//! What an operation does, as `sandbox.yaml` describes it: one action, and the steps around it.

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::damage::Damages;
use super::template::Template;

/// What a request does: a step of its own, with checks before it and steps around it, and how it is answered.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(transform = close_variants)]
pub(super) struct Behaviour {
    /// Records that must exist: collection → id.
    pub(super) needs: IndexMap<String, Template>,
    /// Steps before.
    pub(super) before: Vec<Step>,
    /// Requests to refuse, after the steps before.
    pub(super) refuse: Vec<Refuse>,
    #[serde(flatten)]
    pub(super) step: Step,
    /// Steps after.
    pub(super) after: Vec<Step>,
    /// Fields of the body that are accepted and not kept as they were sent: `gender: drop`, `email: { replace: x }`,
    /// `firstName: { truncate: 3 }`, `city: upper_case`. A name with dots leads into mappings and to named members of
    /// lists.
    pub(super) damage: Damages,
    /// Status of a success; default: 201 for a create by POST, else 200.
    pub(super) status: Option<u16>,
    /// The whole answer; default: the result where the catalog says it stands.
    pub(super) answer: Option<Template>,
    /// Further fields of the answer.
    pub(super) extra: IndexMap<String, Template>,
    /// Fields of the records that the answer has; all when empty.
    pub(super) only: Vec<String>,
    /// JSONPath of the result; default: the catalog's.
    pub(super) at: Option<String>,
    /// For downloads: text of the file. Default: a short silence, or nothing.
    pub(super) file: Option<Template>,
    /// Inputs of a valid request; they take precedence over the connector's `examples`.
    pub(super) example: IndexMap<String, Template>,
}

/// An action on a collection.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(transform = close_variants)]
pub(super) struct Step {
    /// Done only if this holds.
    #[serde(rename = "if")]
    pub(super) condition: Option<Template>,
    /// Done for each member of this list, as `item`.
    pub(super) each: Option<Template>,
    /// A value computed after each member, collected into the list `collected`.
    pub(super) collect: Option<Template>,
    /// Name under which later steps and the answer see the record.
    #[serde(rename = "as")]
    pub(super) name: Option<String>,
    #[serde(flatten, deserialize_with = "action")]
    pub(super) action: Action,
}

/// What a step does with which records.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub(super) enum Action {
    /// Answers, and does nothing. The default.
    Nothing(Nothing),
    /// Several records, page by page.
    List(Box<List>),
    /// One record by id.
    Get(Target),
    /// The first record that matches, or none.
    Find(Matching),
    /// A new record.
    Create(Create),
    /// Changes the record that matches, or creates one.
    Upsert(Upsert),
    /// Changes the given fields of a record.
    Update(Update),
    /// Removes a record.
    Delete(Target),
    /// Removes all records that match; none is fine too.
    DeleteAll(Box<Filter>),
    /// Adds members to a list field.
    AddToSet(SetChange),
    /// Removes members from a list field.
    RemoveFromSet(SetChange),
    /// Free times within a window, by day.
    Slots(Box<Slots>),
}

impl Default for Action {
    fn default() -> Self {
        Self::Nothing(Nothing {})
    }
}

/// Deserializes the action from the fields of a step; without a `verb` it is `nothing`.
fn action<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Action, D::Error> {
    let mut fields = Map::<String, Value>::deserialize(deserializer)?;
    fields.entry("verb").or_insert_with(|| "nothing".into());
    serde_json::from_value(Value::Object(fields)).map_err(D::Error::custom)
}

/// Moves the shared fields into each variant, so that each can reject unknown ones.
fn close_variants(schema: &mut Schema) {
    let own = ["properties", "required"].map(|key| schema.remove(key).unwrap_or_default());
    for variant in schema.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(variant) = variant.as_object_mut() else { continue };
        variant.remove("unevaluatedProperties");
        variant.insert("additionalProperties".into(), false.into());
        let verb = variant.get("properties").map_or(Value::Null, |fields| fields["verb"]["const"].clone());
        let verb = verb.as_str().unwrap_or_default();
        variant.insert("title".into(), format!("`{verb}` step").into());
        if let (Some(Value::Object(fields)), Value::Object(shared)) = (variant.get_mut("properties"), &own[0])
        {
            fields.extend(shared.clone());
        }
        if let Some(Value::Array(required)) = variant.get_mut("required") {
            required.extend(own[1].as_array().into_iter().flatten().cloned());
            // The verb is optional if there is nothing to do.
            required.retain(|name| verb != "nothing" || name != "verb");
        }
    }
}

/// No fields of its own.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// A record by its id.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Target {
    /// The collection.
    #[serde(rename = "in")]
    pub(super) collection: String,
    /// Id of the record; default: the last path parameter.
    pub(super) id: Option<Template>,
    /// Fields that must be equal; undefined ones do not count.
    #[serde(default, rename = "where")]
    pub(super) equal: IndexMap<String, Template>,
    /// Do not refuse the request if there is no such record.
    #[serde(default)]
    pub(super) missing_ok: bool,
}

/// A record by its fields.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Matching {
    /// The collection.
    #[serde(rename = "in")]
    pub(super) collection: String,
    /// Fields to try one after the other.
    #[serde(default, rename = "match")]
    pub(super) fields: IndexMap<String, Template>,
    /// All of `match` must be equal, not one.
    #[serde(default, rename = "match_all")]
    pub(super) all: bool,
    /// Fields that must be equal besides; undefined ones do not count. A new record gets them.
    #[serde(default, rename = "where")]
    pub(super) equal: IndexMap<String, Template>,
}

/// All records that match.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    /// The collection.
    #[serde(rename = "in")]
    pub(super) collection: String,
    /// Fields that must be equal; undefined ones do not count.
    #[serde(default, rename = "where")]
    pub(super) equal: IndexMap<String, Template>,
    /// As `where`, but one of them is enough.
    #[serde(default)]
    pub(super) either: IndexMap<String, Template>,
    /// Fields between two bounds.
    #[serde(default)]
    pub(super) between: Vec<Between>,
    /// Words to look for.
    pub(super) text: Option<Words>,
    /// A tree of conditions that the request brings.
    pub(super) filters: Option<Filters>,
}

/// The fields that a request stores.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Given {
    /// The fields given; default: the body.
    pub(super) from: Option<Template>,
    /// Fields that are not stored.
    pub(super) omit: Vec<String>,
    /// Fields stored under another name.
    pub(super) rename: IndexMap<String, String>,
    /// Fields set besides, or instead.
    pub(super) set: IndexMap<String, Template>,
}

/// A page of records.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct List {
    #[serde(flatten)]
    pub(super) filter: Filter,
    /// Order of the list.
    pub(super) sort: Option<Sort>,
    /// How the list is paged, where the catalog does not say enough.
    #[serde(default)]
    pub(super) page: PageRule,
    /// Further fields of each listed record.
    #[serde(default)]
    pub(super) each_extra: IndexMap<String, Template>,
    /// Fields of listed records that the answer does not have.
    #[serde(default)]
    pub(super) hide: Vec<String>,
}

/// A new record.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Create {
    /// The collection.
    #[serde(rename = "in")]
    pub(super) collection: String,
    /// Fields that the record gets besides.
    #[serde(default, rename = "where")]
    pub(super) equal: IndexMap<String, Template>,
    #[serde(flatten)]
    pub(super) given: Given,
}

/// A change of the record that matches, or a new one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Upsert {
    #[serde(flatten)]
    pub(super) matching: Matching,
    #[serde(flatten)]
    pub(super) given: Given,
}

/// A change of one record.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Update {
    #[serde(flatten)]
    pub(super) target: Target,
    #[serde(flatten)]
    pub(super) given: Given,
}

/// A change of the members of a list field.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SetChange {
    #[serde(flatten)]
    pub(super) target: Target,
    /// The field.
    pub(super) field: String,
    /// The members.
    pub(super) values: Option<Template>,
}

/// Free times.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Slots {
    #[serde(flatten)]
    pub(super) filter: Filter,
    /// Window, hours and the taken times.
    pub(super) slots: Window,
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
    /// The message of the answer.
    pub(super) message: Template,
}

/// A field between two bounds, both included. Times in any notation.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Between {
    /// The field.
    pub(super) field: String,
    /// The least.
    pub(super) from: Option<Template>,
    /// The most.
    pub(super) to: Option<Template>,
}

/// Words to look for, in any case of letters.
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
    /// The API's word for an operator → the sandbox's.
    pub(super) operators: IndexMap<String, super::condition::Operator>,
    /// Members of a range's value → the sandbox's word for the bound.
    #[serde(default)]
    pub(super) bounds: IndexMap<String, super::condition::Bound>,
}

/// Order of a list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Sort {
    /// Name of the field, as records have it.
    pub(super) by: Template,
    /// `desc` for the greatest first; default ascending.
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
    /// The cursor. It is ignored unless all its parts are given.
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

/// The window in which free times are looked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Window {
    /// Its beginning.
    pub(super) from: Template,
    /// Its end.
    pub(super) to: Template,
    /// Minutes of a slot.
    pub(super) minutes: Template,
    /// First and last hour of a working day, UTC.
    pub(super) hours: (u32, u32),
    /// Field with the beginning of what is taken, in the collection.
    pub(super) taken: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(yaml: &str) -> String {
        serde_yaml::from_str::<Behaviour>(yaml).expect_err("a mistake").to_string()
    }

    #[test]
    fn a_verb_takes_its_own_fields_only() {
        let listed: Behaviour = serde_yaml::from_str(
            "{ hide: [a], verb: list, as: x, in: c, page: { default: 2 }, status: 203, where: { b: '{{ query.b }}' } }",
        )
        .unwrap();
        let Action::List(list) = &listed.step.action else { panic!("{listed:?}") };
        assert_eq!(
            (list.filter.collection.as_str(), list.page.default, listed.status),
            ("c", Some(2), Some(203))
        );
        assert!(list.filter.equal.contains_key("b") && listed.step.name.as_deref() == Some("x"));
        for (yaml, wrong) in [
            ("{ verb: get, in: c, page: {} }", "page"),
            ("{ verb: list, in: c, id: x }", "id"),
            ("{ verb: list, in: c, wher: {} }", "wher"),
            ("{ verb: delete, in: c, set: {} }", "set"),
            ("{ verb: delete_all, in: c, sort: { by: x } }", "sort"),
            ("{ answer: {}, in: c }", "in"),
            ("{ before: [{ verb: get, in: c, answer: {} }] }", "answer"),
            ("{ verb: add_to_set, in: c }", "missing field `field`"),
            ("{ verb: get }", "missing field `in`"),
            ("{ verb: gett, in: c }", "unknown variant `gett`"),
        ] {
            assert!(error(yaml).contains(wrong), "{yaml}: {}", error(yaml));
        }
    }

    #[test]
    fn without_a_verb_only_the_answer_counts() {
        let told: Behaviour = serde_yaml::from_str("{ needs: { c: x }, answer: { a: 1 } }").unwrap();
        assert!(matches!(told.step.action, Action::Nothing(_)) && told.answer.is_some());
    }
}
