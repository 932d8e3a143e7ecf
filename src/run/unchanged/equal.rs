//! Whether the fields that a write sends are those that a record holds.

use crate::catalog::{Operation, Place, ReadBack, WriteTarget};
use crate::value::{Map, Value, Written, is_nothing, time_in};

/// What is known of the fields that a write sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// All are as they are sent.
    All,
    /// One is not.
    Other,
    /// Of one nothing is known, or what the write does besides is not.
    Unknown,
}

/// Whether the record whose known fields are `known` holds what `operation` sends with `inputs`. An absent field is
/// not known.
pub fn held(operation: &Operation, inputs: &Map<String, Value>, known: &Map<String, Value>) -> Held {
    let place = |name: &str| operation.parameters.get(name).map(|parameter| parameter.place);
    let sent = || inputs.iter().filter(|(name, _)| place(name) != Some(Place::Path));
    match operation.write_target() {
        Some(WriteTarget::Fields) => {
            let is_plain = |name: &String| place(name).is_none() && !operation.shows.aside.contains(name);
            if sent().next().is_none() || !sent().all(|(name, _)| is_plain(name)) {
                return Held::Unknown;
            }
            let all = sent().map(|(name, value)| match known.get(name) {
                Some(held) => Held::when(equal_field(operation, name, value, held)),
                None => Held::Unknown,
            });
            all.fold(Held::All, Held::and)
        }
        Some(WriteTarget::Added(list)) => in_list(operation, inputs, known, list, true),
        Some(WriteTarget::Removed(list)) => in_list(operation, inputs, known, list, false),
        _ => Held::Unknown,
    }
}

impl Held {
    fn when(held: bool) -> Self {
        if held { Held::All } else { Held::Other }
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Held::Other, _) | (_, Held::Other) => Held::Other,
            (Held::Unknown, _) | (_, Held::Unknown) => Held::Unknown,
            _ => Held::All,
        }
    }
}

fn in_list(
    operation: &Operation,
    inputs: &Map<String, Value>,
    known: &Map<String, Value>,
    list: &str,
    adds: bool,
) -> Held {
    let place = |name: &str| operation.parameters.get(name).map(|parameter| parameter.place);
    let others = inputs.keys().any(|name| name != list && place(name) != Some(Place::Path));
    let (Some(sent), Some(Value::Array(held)), false) = (inputs.get(list), known.get(list), others) else {
        return Held::Unknown;
    };
    let sent = sent.as_array().map_or(std::slice::from_ref(sent), Vec::as_slice);
    let caseless = operation.shows.is_caseless(list);
    let has = |item: &Value| held.iter().any(|held| equal(item, held, caseless));
    Held::when(if adds { sent.iter().all(has) } else { !sent.iter().any(has) })
}

fn equal_field(operation: &Operation, name: &str, sent: &Value, held: &Value) -> bool {
    let caseless = operation.shows.is_caseless(name);
    if let Some(list) = operation.read_back.iter().find(|list| list.input == name) {
        return equal_named(list, sent, held);
    }
    match (sent, held) {
        (Value::Array(sent), Value::Array(held)) if operation.shows.is_set(name) => {
            let has = |all: &[Value], one: &Value| all.iter().any(|other| equal(one, other, caseless));
            sent.iter().all(|one| has(held, one)) && held.iter().all(|one| has(sent, one))
        }
        _ => equal(sent, held, caseless),
    }
}

/// Members by their names, as the answer has them. Where those that are not sent go, none may be missing.
fn equal_named(list: &ReadBack, sent: &Value, held: &Value) -> bool {
    let (Value::Array(sent), Value::Array(held)) = (sent, held) else { return false };
    let value = |member: &Value| list.values.iter().find_map(|name| member.get(name).cloned());
    let has = |member: &Value| {
        let is_it = |other: &&Value| {
            let mut names = list.names.iter().filter_map(|name| Some((member.get(name)?, other.get(name)?)));
            names.next().is_some_and(|(one, other)| one == other)
        };
        let found = held.iter().find(is_it);
        found.is_some_and(|found| matches!((value(member), value(found)), (Some(one), Some(other)) if equal(&one, &other, false)))
    };
    sent.iter().all(has) && (list.merged || sent.len() == held.len())
}

/// Whether writing one over the other would change nothing, whatever the API makes of it.
fn equal(sent: &Value, held: &Value, caseless: bool) -> bool {
    if sent == held || is_nothing(sent) && is_nothing(held) {
        return true;
    }
    match (sent, held) {
        (Value::String(sent), Value::String(held)) => equal_texts(sent, held, caseless),
        (Value::Number(sent), Value::Number(held)) => sent.as_f64() == held.as_f64(),
        (Value::Array(sent), Value::Array(held)) => {
            sent.len() == held.len() && sent.iter().zip(held).all(|(one, other)| equal(one, other, caseless))
        }
        (Value::Object(sent), Value::Object(held)) => {
            let mut names = sent.keys().chain(held.keys());
            let of =
                |fields: &Map<String, Value>, name: &String| fields.get(name).cloned().unwrap_or_default();
            names.all(|name| equal(&of(sent, name), &of(held, name), caseless))
        }
        _ => false,
    }
}

fn equal_texts(sent: &str, held: &str, caseless: bool) -> bool {
    let is_address = |text: &str| text.contains('@') && !text.contains(char::is_whitespace);
    let moment = |text: &str| match time_in(text).filter(|_| text.contains('-')) {
        Some(Written::Exact(time)) => Some(time),
        _ => None,
    };
    let phone = |text: &str| -> Option<String> {
        let digits: String = text.chars().filter(|c| !" -().".contains(*c)).collect();
        let is_whole = digits.len() > 7 && digits.strip_prefix('+')?.bytes().all(|c| c.is_ascii_digit());
        is_whole.then_some(digits)
    };
    (caseless || is_address(sent) && is_address(held)) && sent.to_lowercase() == held.to_lowercase()
        || moment(sent).is_some_and(|sent| moment(held) == Some(sent))
        || phone(sent).is_some_and(|sent| phone(held) == Some(sent))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use serde_json::json;

    fn of(operation: &str, inputs: Value, known: Value) -> Held {
        let catalog = Catalog::built_in();
        let operation = catalog.operation(operation).unwrap();
        held(operation, inputs.as_object().unwrap(), known.as_object().unwrap())
    }

    #[test]
    fn every_field_must_be_known_to_be_as_it_is() {
        let known = json!({
            "id": "c1", "firstName": "Ada", "email": "ada@example.com", "phone": "+447700900123",
            "tags": ["vip", "member"], "companyName": "", "customFields": [{ "id": "a", "value": "x" }, { "id": "b", "value": 1 }]
        });
        let held = |inputs: Value| {
            let mut inputs = inputs;
            inputs["contactId"] = json!("c1");
            of("contacts.update", inputs, known.clone())
        };
        for inputs in [
            json!({ "firstName": "Ada" }),
            json!({ "firstName": "Ada", "email": "Ada@Example.com", "phone": "+44 7700 900123" }),
            json!({ "tags": ["Member", "VIP"] }),
            json!({ "companyName": null }),
            json!({ "customFields": [{ "id": "b", "field_value": 1 }] }),
        ] {
            assert_eq!(held(inputs.clone()), Held::All, "{inputs}");
        }
        for inputs in [
            json!({ "firstName": "ada" }),
            json!({ "firstName": "Ada", "email": "other@example.com" }),
            json!({ "phone": "07700 900123" }),
            json!({ "tags": ["member"] }),
            json!({ "tags": ["member", "vip", "new"] }),
            json!({ "firstName": null }),
            json!({ "firstName": "Ada " }),
            json!({ "customFields": [{ "id": "b", "field_value": 2 }] }),
            json!({ "customFields": [{ "key": "b", "field_value": 1 }] }),
        ] {
            assert_eq!(held(inputs.clone()), Held::Other, "{inputs}");
        }
        for inputs in [json!({}), json!({ "firstName": "Ada", "city": "Leeds" }), json!({ "source": null })] {
            assert_eq!(held(inputs.clone()), Held::Unknown, "{inputs}");
        }
    }

    #[test]
    fn sets_change_nothing_where_they_have_all_or_none() {
        let known = json!({ "id": "c1", "tags": ["vip"] });
        let tags = |operation: &str, tags: Value| {
            of(operation, json!({ "contactId": "c1", "tags": tags }), known.clone())
        };
        assert_eq!(tags("contacts.tags.add", json!(["VIP"])), Held::All);
        assert_eq!(tags("contacts.tags.add", json!(["vip", "new"])), Held::Other);
        assert_eq!(tags("contacts.tags.remove", json!(["old"])), Held::All);
        assert_eq!(tags("contacts.tags.remove", json!(["old", "vip"])), Held::Other);
        let client = json!({ "id": "cl_1", "tags": ["vip"] });
        let removed = json!({ "id": "cl_1", "tags": ["VIP"] });
        assert_eq!(of("fitr.clients.tags.remove", removed, client), Held::Other, "it is the same tag");
        assert_eq!(
            of("contacts.create", json!({ "firstName": "Ada" }), json!({ "firstName": "Ada" })),
            Held::Unknown
        );
    }
}
