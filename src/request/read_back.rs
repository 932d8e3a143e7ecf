//! Finds values that were sent and are missing from the record in the answer: the API dropped them silently.

use serde_json::{Map, Value};

use crate::catalog::{Operation, ReadBack, path};

/// A message about the values of `inputs` that `answer` lacks; `None` when nothing is missing.
pub fn dropped(operation: &Operation, inputs: &Map<String, Value>, answer: &Value) -> Option<String> {
    let lost: Vec<String> = operation
        .read_back
        .iter()
        .flat_map(|read_back| dropped_from_list(read_back, inputs, answer))
        .collect();
    let (count, all) = (lost.len(), lost.join(", "));
    match count {
        0 => None,
        1 => Some(format!(
            "the API accepted the request and dropped {all}: the record does not have it; check that the field exists \
             in this account, for this kind of record"
        )),
        _ => Some(format!(
            "the API accepted the request and dropped {all}: the record does not have them; check that the fields \
             exist in this account, for this kind of record"
        )),
    }
}

fn dropped_from_list(read_back: &ReadBack, inputs: &Map<String, Value>, answer: &Value) -> Vec<String> {
    let Some(Value::Array(sent)) = inputs.get(&read_back.input) else { return vec![] };
    let shown = match path::read(answer, &read_back.answer) {
        Some(Value::Array(shown)) => shown,
        // The record is shown without the list, so none of the values is there.
        None | Some(Value::Null) if shows_record(read_back, answer) => vec![],
        _ => return vec![],
    };
    let lost =
        sent.iter().filter(|member| !read_back.is_empty(member) && !read_back.is_shown(member, &shown));
    lost.filter_map(|member| read_back.name(member)).collect()
}

/// Whether the answer has the record that holds the list.
fn shows_record(read_back: &ReadBack, answer: &Value) -> bool {
    let Some((holder, _)) = read_back.answer.rsplit_once('.') else { return false };
    path::read(answer, holder).is_some_and(|record| record.is_object())
}

impl ReadBack {
    /// Whether the member has no value, so that its absence from the answer means nothing.
    fn is_empty(&self, member: &Value) -> bool {
        self.value(member).is_none_or(|value| match value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Object(fields) => fields.is_empty(),
            _ => false,
        })
    }

    fn is_shown(&self, member: &Value, shown: &[Value]) -> bool {
        let names = || self.names.iter().filter_map(|name| Some((name, text(member.get(name)?)?)));
        let known = |name: &str| shown.iter().any(|other| other.get(name).is_some());
        let mut comparable = names().filter(|(name, _)| known(name)).peekable();
        if comparable.peek().is_some() {
            return comparable.any(|(name, text_sent)| {
                shown.iter().any(|other| other.get(name).and_then(text).as_ref() == Some(&text_sent))
            });
        }
        // It was sent under a name that the answer does not use, so its value is looked for instead.
        let Some(value) = self.value(member) else { return true };
        shown.iter().any(|other| self.value(other).is_some_and(|other| alike(value, other)))
    }

    fn value<'a>(&self, member: &'a Value) -> Option<&'a Value> {
        self.values.iter().find_map(|name| member.get(name))
    }

    fn name(&self, member: &Value) -> Option<String> {
        let found = self.names.iter().find_map(|name| Some((name, text(member.get(name)?)?)));
        found.map(|(name, text)| format!("`{}` with {name} `{text}`", self.input))
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

/// Whether two values are the same apart from notation: a number as text, or a list as comma-separated text.
fn alike(one: &Value, other: &Value) -> bool {
    let words = |value: &Value| -> Vec<String> {
        let mut words: Vec<String> = match value {
            Value::Array(items) => items.iter().map(plain).collect(),
            Value::String(text) => text.split(',').map(|part| part.trim().to_lowercase()).collect(),
            other => vec![plain(other)],
        };
        words.sort();
        words
    };
    let (one, other) = (words(one), words(other));
    one == other || one.join(",") == other.join(",")
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), |text| text.trim().to_lowercase())
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

    fn dropped_message(sent: Value, answer: Value) -> Option<String> {
        dropped(&operation(), json!({ "customFields": sent }).as_object().unwrap(), &answer)
    }

    #[test]
    fn dropped_values_are_reported_by_name() {
        let shown = json!({ "contact": { "customFields": [{ "id": "a", "value": "Marathon" }, { "id": "c", "value": 7 }] } });
        let sent = json!([{ "id": "a", "field_value": "Marathon" }, { "id": "b", "field_value": "x" }]);
        let message = dropped_message(sent, shown.clone()).unwrap();
        assert!(message.contains("`customFields` with id `b`") && !message.contains("id `a`"), "{message}");
        let by_key =
            json!([{ "key": "goal", "field_value": "marathon" }, { "key": "gaol", "field_value": "Speed" }]);
        let message = dropped_message(by_key, shown.clone()).unwrap();
        assert!(message.contains("key `gaol`") && !message.contains("key `goal`"), "{message}");
        assert_eq!(
            dropped_message(json!([{ "key": "n", "field_value": "7" }]), shown),
            None,
            "a number as text"
        );
        let both = json!([{ "key": "goal", "field_value": 1 }, { "id": "z", "field_value": 2 }]);
        assert!(
            dropped_message(both, json!({ "contact": { "id": "1" } }))
                .unwrap()
                .contains("key `goal`, `customFields` with id `z`")
        );
    }

    #[test]
    fn nothing_is_reported_if_nothing_is_known_or_sent() {
        let sent = json!([{ "id": "b", "field_value": "x" }]);
        assert_eq!(
            dropped_message(sent.clone(), json!({ "success": true })),
            None,
            "the answer shows no record"
        );
        assert_eq!(dropped_message(sent, json!("ok")), None);
        let cleared =
            json!([{ "id": "a", "field_value": "" }, { "id": "b", "field_value": null }, { "id": "c" }]);
        assert_eq!(dropped_message(cleared, json!({ "contact": { "customFields": [] } })), None);
        assert_eq!(dropped_message(json!("x"), json!({ "contact": {} })), None);
    }
}
