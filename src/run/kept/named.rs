//! Lists of named values, such as custom fields, that are sent in one form and shown in another.

use super::compare::Fields;
use super::comparison::Comparison;
use crate::catalog::{Operation, ReadBack, path};
use crate::run::difference::Difference;
use crate::value::{Map, Value, is_nothing};

/// The members of the lists among `inputs` that `answer` lacks, or shows with another value.
pub(super) fn named_differences(
    operation: &Operation,
    inputs: &Map<String, Value>,
    answer: &Value,
) -> Vec<Difference> {
    let lists = operation.read_back.iter();
    lists.flat_map(|list| list_differences(operation, list, inputs, answer)).collect()
}

fn list_differences(
    operation: &Operation,
    list: &ReadBack,
    inputs: &Map<String, Value>,
    answer: &Value,
) -> Vec<Difference> {
    let Some(Value::Array(sent)) = inputs.get(&list.input) else { return vec![] };
    let shown = match path::read(answer, &list.answer) {
        Some(Value::Array(shown)) => shown,
        // The record is shown without the list, so none of the values is there.
        None | Some(Value::Null) if shows_record(list, answer) => vec![],
        _ => return vec![],
    };
    let mut fields = Fields { shows: &operation.shows, found: Vec::new() };
    for member in sent {
        let Some(value) = list.value(member).filter(|value| !is_nothing(value)) else { continue };
        let Some(name) = list.name(member) else { continue };
        let at = format!("{}[{name}]", list.input);
        match list.shown_value(member, value, &shown) {
            Shown::Missing => fields.add(&at, value, &Value::Null),
            Shown::As(got) if !alike(value, got) => fields.compare(&at, value, got, None),
            Shown::As(_) | Shown::Somewhere => {}
        }
    }
    fields.found
}

/// Whether the answer has the record that holds the list.
fn shows_record(list: &ReadBack, answer: &Value) -> bool {
    let Some((holder, _)) = list.answer.rsplit_once('.') else { return false };
    path::read(answer, holder).is_some_and(|record| record.is_object())
}

/// How a member is shown.
enum Shown<'a> {
    /// Under its name, with this value.
    As(&'a Value),
    /// Its value is there, under a name that was not sent.
    Somewhere,
    /// It is not.
    Missing,
}

impl ReadBack {
    fn shown_value<'a>(&self, member: &Value, value: &Value, shown: &'a [Value]) -> Shown<'a> {
        let names = self.names.iter().filter_map(|name| Some((name, text(member.get(name)?)?)));
        let known = |name: &str| shown.iter().any(|other| other.get(name).is_some());
        let mut comparable = names.filter(|(name, _)| known(name)).peekable();
        if comparable.peek().is_some() {
            let found = comparable.find_map(|(name, sent)| {
                shown.iter().find(|other| other.get(name).and_then(text).as_ref() == Some(&sent))
            });
            return match found {
                Some(found) => self.value(found).map_or(Shown::Somewhere, Shown::As),
                None => Shown::Missing,
            };
        }
        // It was sent under a name that the answer does not use, so its value is looked for instead.
        let is_there = |other: &Value| self.value(other).is_some_and(|other| is_alike(value, other));
        if shown.iter().any(is_there) { Shown::Somewhere } else { Shown::Missing }
    }

    fn value<'a>(&self, member: &'a Value) -> Option<&'a Value> {
        self.values.iter().find_map(|name| member.get(name))
    }

    fn name(&self, member: &Value) -> Option<String> {
        self.names.iter().find_map(|name| text(member.get(name)?))
    }
}

/// A non-empty text, trimmed, or a number as text.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Whether two values are the same apart from notation; a date may be shown in a form of its own.
fn is_alike(one: &Value, other: &Value) -> bool {
    alike(one, other)
        || match super::compare::compare_values(one, other, None, true) {
            Comparison::Same => true,
            Comparison::Different => false,
            Comparison::Unclear => !one.is_string() || one.to_string().contains(|c: char| c.is_ascii_digit()),
        }
}

/// A list as comma-separated text is a list.
fn alike(one: &Value, other: &Value) -> bool {
    let words = |value: &Value| -> Vec<String> {
        let mut words: Vec<String> = match value {
            Value::Array(items) => items.iter().map(plain).collect(),
            Value::String(text) => text.split(',').map(|part| part.trim().to_owned()).collect(),
            other => vec![plain(other)],
        };
        words.sort();
        words
    };
    words(one) == words(other)
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), |text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn operation() -> Operation {
        serde_yaml::from_str(
            "{ title: t, summary: s, kinds: [action], read_back: [{ input: customFields, answer: $.contact.customFields, \
             names: [id, key], values: [field_value, value] }] }",
        )
        .unwrap()
    }

    fn lost(sent: Value, answer: Value) -> Vec<String> {
        let inputs = json!({ "customFields": sent });
        let found = named_differences(&operation(), inputs.as_object().unwrap(), &answer);
        found.into_iter().map(|difference| difference.field).collect()
    }

    #[test]
    fn what_is_not_shown_is_told_by_its_name() {
        let shown = json!({ "contact": { "customFields": [{ "id": "a", "value": "Marathon" }, { "id": "c", "value": 7 }] } });
        let sent = json!([{ "id": "a", "field_value": "Marathon" }, { "id": "b", "field_value": "x" }]);
        assert_eq!(lost(sent, shown.clone()), ["customFields[b]"]);
        let by_key =
            json!([{ "key": "goal", "field_value": "marathon" }, { "key": "gaol", "field_value": "Speed" }]);
        assert_eq!(lost(by_key, shown.clone()), ["customFields[gaol]"]);
        let number = json!([{ "key": "n", "field_value": "7" }]);
        assert!(lost(number, shown).is_empty(), "a number as text");
        let both = json!([{ "key": "goal", "field_value": 1 }, { "id": "z", "field_value": 2 }]);
        let all = ["customFields[goal]", "customFields[z]"];
        assert_eq!(lost(both, json!({ "contact": { "id": "1" } })), all);
    }

    #[test]
    fn a_value_that_was_replaced_is_told() {
        let shown = json!({ "contact": { "customFields": [{ "id": "a", "value": "Mara" }, { "id": "b", "value": ["x", "y"] }] } });
        let sent = json!([{ "id": "a", "field_value": "Marathon" }, { "id": "b", "field_value": "x, y" }]);
        assert_eq!(lost(sent, shown), ["customFields[a]"]);
    }

    #[test]
    fn nothing_is_told_where_nothing_is_known_or_sent() {
        let sent = json!([{ "id": "b", "field_value": "x" }]);
        let none: [&str; 0] = [];
        assert_eq!(lost(sent.clone(), json!({ "success": true })), none, "the answer shows no record");
        assert_eq!(lost(sent, json!("ok")), none);
        let cleared =
            json!([{ "id": "a", "field_value": "" }, { "id": "b", "field_value": null }, { "id": "c" }]);
        assert_eq!(lost(cleared, json!({ "contact": { "customFields": [] } })), none);
        assert_eq!(lost(json!("x"), json!({ "contact": {} })), none);
    }
}
