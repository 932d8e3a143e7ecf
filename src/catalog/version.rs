//! Other versions of an API, as differences from the base version.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{Parameter, PathTemplate};
use crate::value::{Kind, Shape};

/// The versions of an API, as described in `versions.yaml`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Versions {
    /// Name of the version that the other files describe.
    pub base: String,
    /// The other versions by name, such as `v3`.
    pub versions: IndexMap<String, ApiVersion>,
}

/// A version of an API. A connection or a step chooses it by `version:`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiVersion {
    /// Value of the connector's version header, for operations that send it.
    pub header: Option<String>,
    /// The operations of this version by id, with their differences.
    pub operations: IndexMap<String, Change>,
}

/// The differences of an operation.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Change {
    /// New path.
    #[schemars(with = "Option<String>")]
    pub path: Option<PathTemplate>,
    /// The vendor advises against it.
    pub deprecated: bool,
    /// Additional parameters.
    pub parameters: IndexMap<String, Parameter>,
    /// Differences of parameters and body fields.
    pub inputs: Fields,
    /// Differences of the answer's fields.
    pub answer: Fields,
}

/// Differences by path: `contact.dndSettings.Call`, `customFields[].field_value`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Fields {
    /// Path in the base version → new name of the field.
    pub renamed: IndexMap<String, String>,
    /// Paths of removed fields.
    pub removed: Vec<String>,
    /// Paths of added fields.
    pub added: IndexMap<String, Shape>,
    /// Allowed values of a field; empty for any.
    pub values: IndexMap<String, Vec<Value>>,
    /// Additional allowed values of a field.
    pub more_values: IndexMap<String, Vec<Value>>,
    /// There are more differences than described.
    pub open: bool,
}

impl Versions {
    /// The names of all versions, the base first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let base = Some(self.base.as_str()).filter(|base| !base.is_empty());
        base.into_iter().chain(self.versions.keys().map(String::as_str))
    }

    /// Whether any version changes the operation `id`.
    pub fn change(&self, id: &str) -> bool {
        let changes = self.versions.values().filter_map(|version| version.operations.get(id));
        changes.into_iter().any(|change| *change != Change::default())
    }
}

impl Change {
    /// Converts inputs of the base version to this version.
    pub fn inputs_from_base(&self, inputs: &mut Value) {
        self.inputs.rename_values(inputs, |old, new| (old, new));
    }

    /// Converts inputs of this version to the base version.
    pub fn inputs_to_base(&self, inputs: &mut Value) {
        self.inputs.rename_values(inputs, |old, new| (new, old));
    }

    /// Converts an answer of the base version to this version.
    pub fn answer_from_base(&self, answer: &mut Value) {
        self.answer.rename_values(answer, |old, new| (old, new));
    }
}

impl Fields {
    pub(super) fn apply(&self, shape: &mut Shape) {
        for (path, name) in &self.renamed {
            at(shape, path, &mut |holder, last| rename_field(holder, last, name));
        }
        for path in &self.removed {
            at(shape, path, &mut |holder, last| drop(holder.fields.shift_remove(last)));
        }
        for (path, added) in &self.added {
            at(shape, path, &mut |holder, last| {
                // A shape without fields accepts any.
                if !holder.fields.is_empty() {
                    holder.fields.insert(last.to_owned(), added.clone());
                }
            });
        }
        for (path, values) in &self.values {
            values_at(shape, path, &mut |field| set_values(field, values));
        }
        for (path, values) in &self.more_values {
            values_at(shape, path, &mut |field| field.values.extend(values.iter().cloned()));
        }
        if self.open {
            open(shape);
        }
    }

    fn rename_values<'a>(
        &'a self,
        value: &mut Value,
        direction: impl Fn(&'a str, &'a str) -> (&'a str, &'a str),
    ) {
        for (path, name) in &self.renamed {
            let (parent, last) = path.rsplit_once('.').unwrap_or(("", path));
            let (from, to) = direction(last, name);
            within(value, parent, &mut |fields| {
                if let Some(moved) = fields.remove(from) {
                    fields.insert(to.to_owned(), moved);
                }
            });
        }
    }
}

/// Calls `edit` for the field, or the list's members, at `path`.
fn values_at(shape: &mut Shape, path: &str, edit: &mut dyn FnMut(&mut Shape)) {
    at(shape, path, &mut |holder, last| {
        let (name, is_list) = last.strip_suffix("[]").map_or((last, false), |name| (name, true));
        let Some(field) = holder.fields.get_mut(name) else { return };
        match (is_list, field.items.as_deref_mut()) {
            (false, _) => edit(field),
            (true, Some(members)) => edit(members),
            (true, None) => {}
        }
    });
}

pub(super) fn set_values(shape: &mut Shape, values: &[Value]) {
    shape.values = values.to_vec();
    // A mapping in the base version is text here if all allowed values are.
    if !values.is_empty() && values.iter().all(Value::is_string) {
        shape.kind = Kind::String;
    }
}

/// Renames a key of the map and keeps its position.
pub(super) fn rename<T>(map: &mut IndexMap<String, T>, old: &str, new: &str) {
    if let Some((index, _, value)) = map.shift_remove_full(old) {
        map.shift_remove(new);
        map.shift_insert(index.min(map.len()), new.to_owned(), value);
    }
}

/// Renames a field; the old name remains as an alias if either was right before.
fn rename_field(holder: &mut Shape, old: &str, new: &str) {
    rename(&mut holder.fields, old, new);
    if holder.also.shift_remove(new).is_some() {
        holder.also.insert(old.to_owned(), new.to_owned());
    }
    for (_, own) in holder.also.iter_mut().filter(|(_, own)| *own == old) {
        new.clone_into(own);
    }
    for name in holder.one_of.iter_mut().filter(|name| *name == old) {
        new.clone_into(name);
    }
}

/// Calls `edit` for the object that contains the last part of `path`, in every alternative.
fn at(shape: &mut Shape, path: &str, edit: &mut dyn FnMut(&mut Shape, &str)) {
    for alternative in &mut shape.any_of {
        at(alternative, path, edit);
    }
    let Some((first, rest)) = path.split_once('.') else {
        edit(shape, path);
        return;
    };
    let (name, is_list) = first.strip_suffix("[]").map_or((first, false), |name| (name, true));
    let Some(field) = shape.fields.get_mut(name) else { return };
    match (is_list, &mut field.items) {
        (true, Some(items)) => at(items, rest, edit),
        (true, None) => {}
        (false, _) => at(field, rest, edit),
    }
}

/// Allows additional fields at every depth.
fn open(shape: &mut Shape) {
    shape.open = true;
    shape.fields.values_mut().chain(shape.items.as_deref_mut()).chain(&mut shape.any_of).for_each(open);
}

/// Calls `edit` for the object, or every object of the list, at `path`.
fn within(value: &mut Value, path: &str, edit: &mut dyn FnMut(&mut serde_json::Map<String, Value>)) {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    match value {
        Value::Object(fields) if path.is_empty() => edit(fields),
        Value::Object(fields) => {
            let name = first.strip_suffix("[]").unwrap_or(first);
            match fields.get_mut(name) {
                Some(Value::Array(items)) => items.iter_mut().for_each(|item| within(item, rest, edit)),
                Some(field) => within(field, rest, edit),
                None => {}
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Operation;
    use serde_json::json;

    fn operation() -> Operation {
        let mut operation: Operation = serde_yaml::from_str(
            "{ title: T, summary: S, kinds: [action], path: /a, version: '1',
               parameters: { stage_id: { in: query, shape: { type: string } } },
               body: { shape: { type: object, fields: { fields: { type: array, items: { any_of: [
                 { type: object, fields: { id: { type: string }, field_value: { type: string } } } ] } } } } },
               response: { type: object, fields: { old: { type: string }, kept: { type: string } } } }",
        )
        .unwrap();
        operation.id = "a.b".into();
        operation
    }

    fn versions() -> Versions {
        serde_yaml::from_str(
            "{ base: v1, versions: { v2: { header: two, operations: { a.b: { path: /b,
               inputs: { renamed: { stage_id: stageId, 'fields[].field_value': fieldValue } },
               answer: { renamed: { kept: keeps }, removed: [old], added: { new: {} } } } } } } }",
        )
        .unwrap()
    }

    #[test]
    fn an_operation_is_changed_where_it_says() {
        let (name, changed) = versions().variants(&operation()).next().unwrap();
        assert_eq!((name.as_str(), &*changed.path, changed.version.as_deref()), ("v2", "/b", Some("two")));
        assert!(changed.input("stageId").is_some() && changed.input("stage_id").is_none());
        assert_eq!(changed.renamed["stage_id"], "stageId");
        let items = changed.body.unwrap().shape.fields["fields"].items.clone().unwrap();
        assert_eq!(items.any_of[0].fields.keys().collect::<Vec<_>>(), ["id", "fieldValue"]);
        let answer = changed.response.unwrap();
        assert_eq!(answer.fields.keys().collect::<Vec<_>>(), ["keeps", "new"]);
    }

    #[test]
    fn the_old_name_of_a_renamed_field_stays_another_name_for_it() {
        let mut shape: Shape = serde_yaml::from_str(
            "{ type: object, also: { fieldValue: field_value }, one_of: [field_value], fields: { field_value: {} } }",
        )
        .unwrap();
        rename_field(&mut shape, "field_value", "fieldValue");
        assert_eq!(shape.fields.keys().collect::<Vec<_>>(), ["fieldValue"]);
        assert_eq!(
            shape.also.iter().collect::<Vec<_>>(),
            [(&"field_value".to_owned(), &"fieldValue".to_owned())]
        );
        assert_eq!(shape.one_of, ["fieldValue"]);
    }

    #[test]
    fn allowed_values_are_of_parameters_fields_and_members_of_lists() {
        let mut base = operation();
        let old: Shape = serde_yaml::from_str("{ type: object, enum: [x] }").unwrap();
        let list = Shape::list(old.clone());
        base.parameters["stage_id"].shape = old.clone();
        let body = &mut base.body.as_mut().unwrap().shape.fields;
        body.extend([("kind".to_owned(), old), ("kinds".to_owned(), list.clone()), ("any".to_owned(), list)]);
        let versions: Versions = serde_yaml::from_str(
            "{ base: v1, versions: { v2: { operations: { a.b: { inputs: { values: {
               stage_id: [a], kind: [b], 'kinds[]': [c], 'any[]': [] } } } } } } }",
        )
        .unwrap();
        let changed = versions.variants(&base).next().unwrap().1;
        let fields = &changed.body.as_ref().unwrap().shape.fields;
        let text = |shape: &Shape| (shape.kind, shape.values.clone());
        let of = |value: &str| (Kind::String, vec![json!(value)]);
        assert_eq!(text(changed.input("stage_id").unwrap().shape), of("a"));
        assert_eq!(text(&fields["kind"]), of("b"));
        assert_eq!(text(fields["kinds"].items.as_ref().unwrap()), of("c"));
        assert_eq!(fields["any"].items.as_ref().unwrap().values, Vec::<Value>::new());
    }

    #[test]
    fn references_to_other_operations_use_the_names_of_the_version() {
        let versions: Versions = serde_yaml::from_str(
            "{ base: v1, versions: { v2: { operations: {
               a.create: { inputs: { renamed: { stage_id: stageId } }, answer: { renamed: { made: created_one, 'made.at': time } } },
               a.list: { inputs: { renamed: { of_stage: ofStage } },
                 answer: { renamed: { 'all[].stage_id': stageId, 'all[].made_at': madeAt, 'all[].sub[].x': y } } } } } } }",
        )
        .unwrap();
        let of = |id: &str, yaml: &str| {
            let mut operation: Operation = serde_yaml::from_str(&format!(
                "{{ title: T, summary: S, kinds: [action], path: /a, {yaml} }}"
            ))
            .unwrap();
            operation.id = id.to_owned();
            versions.variants(&operation).next().unwrap().1
        };
        let create = of(
            "a.create",
            "one_of: [stage_id], result: [$.made], creates_when: [{ without: [stage_id] }],
             first_only: [{ field: $.made.new, created: $.made.at }],
             probe: { operation: a.list, with: { of_stage: '{{ stage_id }}', other: '{{ name }}' }, created: made_at,
               match: { stage_id: stage_id, 'sub[*].x': name } }",
        );
        let probe = create.probe.unwrap();
        assert_eq!(
            serde_json::to_value(&probe.with).unwrap(),
            json!({ "ofStage": "{{ stageId }}", "other": "{{ name }}" })
        );
        let matching = json!({ "stageId": "stageId", "sub[*].y": "name" });
        assert_eq!(serde_json::to_value(&probe.matching).unwrap(), matching);
        assert_eq!(probe.created.as_deref(), Some("madeAt"));
        assert_eq!(
            (create.one_of, create.result),
            (vec!["stageId".to_owned()], vec!["$.created_one".to_owned()])
        );
        assert_eq!(create.creates_when[0].without, ["stageId"]);
        let first = &create.first_only[0];
        assert_eq!(
            (first.field.as_str(), first.created.as_deref()),
            ("$.created_one.new", Some("$.created_one.time"))
        );
        let list = of(
            "a.list",
            "list: { items: ['$.all[*]'], id: [id], created: made_at, newest_first: { of_stage: x },
               paging: { style: offset, offset: of_stage, limit: n, size: 5 } }",
        );
        let list = list.list.unwrap();
        assert_eq!(
            (list.created.as_deref(), list.newest_first.keys().next().unwrap().as_str()),
            (Some("madeAt"), "ofStage")
        );
        assert_eq!(list.paging.inputs(), ["ofStage", "n"]);
    }

    #[test]
    fn values_go_to_the_base_version_and_back() {
        let versions = versions();
        let change = &versions.versions["v2"].operations["a.b"];
        let mut inputs = json!({ "stageId": "s", "fields": [{ "id": "x", "fieldValue": 1 }, 3] });
        change.inputs_to_base(&mut inputs);
        assert_eq!(inputs, json!({ "stage_id": "s", "fields": [{ "id": "x", "field_value": 1 }, 3] }));
        let mut answer = json!({ "kept": 1 });
        change.answer_from_base(&mut answer);
        assert_eq!(answer, json!({ "keeps": 1 }));
    }
}
