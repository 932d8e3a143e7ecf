//! What becomes of fields that are accepted and not kept as they were sent.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Fields that hold the value of a member of a list of named values.
const VALUES: [&str; 3] = ["field_value", "fieldValue", "value"];
/// Fields that name it.
const NAMES: [&str; 3] = ["id", "key", "name"];

/// What becomes of a field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Damage {
    /// It is as if it had not been sent.
    Drop,
    /// It is emptied.
    Null,
    /// It gets this value instead.
    Replace(Value),
    /// Only so many characters of it are kept.
    Truncate(usize),
    /// Its letters become capitals.
    UpperCase,
    /// Its letters become small.
    LowerCase,
    /// Its line breaks become spaces.
    OneLine,
    /// Letters with accents and signs beyond ASCII become question marks.
    Ascii,
    /// A number loses its fraction.
    Round,
    /// Of a list, only the first member is kept.
    FirstItem,
    /// A list is turned round, which damages nothing.
    Reorder,
    /// A number becomes a text, which damages nothing.
    AsText,
}

/// Fields and what becomes of them. A name with dots leads into mappings, and to the member of a list that has this
/// id, key or name.
pub(super) type Damages = IndexMap<String, Damage>;

/// Does to `body` what `damages` says.
pub(super) fn damage(body: &mut Value, damages: &Damages) {
    for (field, damage) in damages {
        let names: Vec<&str> = field.split('.').collect();
        damage.apply(body, &names);
    }
}

impl Damage {
    fn apply(&self, value: &mut Value, names: &[&str]) {
        let Some((name, rest)) = names.split_first() else { return };
        match value {
            Value::Object(fields) if rest.is_empty() && *self == Damage::Drop => _ = fields.remove(*name),
            Value::Object(fields) => match fields.get_mut(*name) {
                Some(field) if rest.is_empty() => self.change(field),
                Some(field) => self.apply(field, rest),
                None => {}
            },
            Value::Array(items) if rest.is_empty() && *self == Damage::Drop => {
                items.retain(|item| !is_called(item, name));
            }
            Value::Array(items) => {
                for item in items.iter_mut().filter(|item| is_called(item, name)) {
                    match VALUES.iter().find(|value| item.get(**value).is_some()) {
                        Some(value) if rest.is_empty() => self.change(&mut item[*value]),
                        _ => self.apply(item, rest),
                    }
                }
            }
            _ => {}
        }
    }

    fn change(&self, value: &mut Value) {
        let text = value.as_str().map(str::to_owned);
        let changed = match (self, text) {
            (Damage::Drop | Damage::Null, _) => Some(Value::Null),
            (Damage::Replace(other), _) => Some(other.clone()),
            (Damage::Truncate(most), Some(text)) => Some(text.chars().take(*most).collect::<String>().into()),
            (Damage::UpperCase, Some(text)) => Some(text.to_uppercase().into()),
            (Damage::LowerCase, Some(text)) => Some(text.to_lowercase().into()),
            (Damage::OneLine, Some(text)) => Some(text.replace('\n', " ").into()),
            (Damage::Ascii, Some(text)) => {
                let ascii = text.chars().map(|letter| if letter.is_ascii() { letter } else { '?' });
                Some(ascii.collect::<String>().into())
            }
            (Damage::Round, None) => value.as_f64().map(|number| (number.trunc() as i64).into()),
            (Damage::AsText, None) if value.is_number() => Some(value.to_string().into()),
            _ => None,
        };
        match (changed, value) {
            (Some(changed), value) => *value = changed,
            (None, Value::Array(items)) if *self == Damage::FirstItem => items.truncate(1),
            (None, Value::Array(items)) if *self == Damage::Reorder => items.reverse(),
            // Of a list of texts, each.
            (None, Value::Array(items)) => items.iter_mut().for_each(|item| self.change(item)),
            _ => {}
        }
    }
}

fn is_called(item: &Value, name: &str) -> bool {
    NAMES.iter().any(|field| item.get(*field).and_then(Value::as_str) == Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_are_dropped_and_changed_where_they_stand() {
        let damages: Damages = serde_json::from_value(json!({
            "gender": "drop", "name": { "truncate": 2 }, "email": { "replace": "x" }, "address.city": "upper_case",
            "customFields.a": "drop", "customFields.b": "lower_case", "tags": "first_item", "price": "round"
        }))
        .unwrap();
        let mut body = json!({
            "gender": "f", "name": "Ada", "email": "a", "address": { "city": "Leeds" }, "tags": ["a", "b"],
            "customFields": [{ "id": "a", "value": 1 }, { "key": "b", "field_value": "Big" }], "price": 1.5
        });
        damage(&mut body, &damages);
        assert_eq!(
            body,
            json!({
                "name": "Ad", "email": "x", "address": { "city": "LEEDS" }, "tags": ["a"],
                "customFields": [{ "key": "b", "field_value": "big" }], "price": 1
            })
        );
    }
}
