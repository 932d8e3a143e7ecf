//! Shapes of values: the type language of the catalog.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The JSON type of a value. `any` accepts everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Unknown.
    #[default]
    Any,
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A mapping with named fields.
    Object,
    /// A list.
    Array,
}

/// The shape of a value: its type, its content and, as a field of an object, whether it is required.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// The JSON type.
    #[serde(rename = "type", default, skip_serializing_if = "is_default")]
    pub kind: Kind,
    /// As a field of an object: required.
    #[serde(default, skip_serializing_if = "is_default")]
    pub required: bool,
    /// `null` is allowed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub nullable: bool,
    /// A format of text or numbers: `date-time`, `date`, `email`, `epoch-ms`, `binary`, `record-id`, `field-key`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The only values allowed; empty for any.
    #[serde(rename = "enum", default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
    /// Shape of the items of an array.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Box<Shape>>,
    /// Known fields of an object, in the order of the description. An object without fields is open.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub fields: IndexMap<String, Shape>,
    /// Alternative names of fields → the name that is sent.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub also: IndexMap<String, String>,
    /// Fields of an object, at least one of which is required.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub one_of: Vec<String>,
    /// The object may have other fields.
    #[serde(default, skip_serializing_if = "is_default")]
    pub open: bool,
    /// Shape of every value of an object used as a map (whose keys are data, such as dates).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entries: Option<Box<Shape>>,
    /// The description may be wrong: mismatches are warnings instead of errors.
    #[serde(default, skip_serializing_if = "is_default")]
    pub doubtful: bool,
    /// Alternatives, at least one of which must match.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub any_of: Vec<Shape>,
    /// Minimum of a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<i64>,
    /// Maximum of a number, if the API rejects more (`limit`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<i64>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A step into a value: a field, or any item of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// `.name`
    Field(String),
    /// `[3]`, `[*]`, or the variable of a loop.
    Item,
}

impl Step {
    /// The name, if it is a field.
    pub fn field(&self) -> Option<&str> {
        match self {
            Step::Field(name) => Some(name),
            Step::Item => None,
        }
    }
}

impl Shape {
    /// A shape of this type.
    pub fn new(kind: Kind) -> Self {
        Self { kind, ..Self::default() }
    }

    /// A list of `items`.
    pub fn list(items: Shape) -> Self {
        Self { kind: Kind::Array, items: Some(Box::new(items)), ..Self::default() }
    }

    /// Whether an object may have fields that are not listed.
    pub fn is_open(&self) -> bool {
        self.open || self.fields.is_empty()
    }

    /// The shape of the field or entry `name`; accepts alternative names.
    pub fn field(&self, name: &str) -> Option<&Shape> {
        self.fields.get(self.field_name(name)).or(self.entries.as_deref())
    }

    /// The name that is sent for `name`.
    pub fn field_name<'a>(&'a self, name: &'a str) -> &'a str {
        self.also.get(name).map_or(name, String::as_str)
    }

    /// Follows `step`. `Err` lists the known fields if there is no such field; `Ok(None)` if its shape is unknown.
    pub fn step(&self, step: &Step) -> Result<Option<&Shape>, Vec<&str>> {
        match (self.kind, step) {
            _ if !self.any_of.is_empty() => Ok(None),
            (Kind::Object, Step::Field(name)) => match self.fields.get(name) {
                Some(shape) => Ok(Some(shape)),
                None if self.entries.is_some() => Ok(self.entries.as_deref()),
                None if self.is_open() => Ok(None),
                None => Err(self.fields.keys().map(String::as_str).collect()),
            },
            (Kind::Array, Step::Item) => Ok(self.items.as_deref()),
            _ => Ok(None),
        }
    }

    /// A few words for people: `text`, `list of whole number`, `one of "open", "won"`.
    pub fn describe(&self) -> String {
        if !self.values.is_empty() {
            let shown: Vec<String> = self.values.iter().map(Value::to_string).collect();
            return format!("one of {}", shown.join(", "));
        }
        if !self.any_of.is_empty() {
            let mut shown: Vec<String> = self.any_of.iter().map(Shape::describe).collect();
            shown.dedup();
            return shown.join(" or ");
        }
        match self.kind {
            Kind::Any => "any value".into(),
            Kind::String => "text".into(),
            Kind::Integer => "a whole number".into(),
            Kind::Number => "a number".into(),
            Kind::Boolean => "true or false".into(),
            Kind::Object => "a mapping".into(),
            Kind::Array => match &self.items {
                Some(items) if items.kind != Kind::Any => format!("a list of {}", items.describe_many()),
                _ => "a list".into(),
            },
        }
    }

    /// The plural: `mappings`, `whole numbers`.
    fn describe_many(&self) -> String {
        let plain = self.values.is_empty() && self.any_of.is_empty();
        match self.kind {
            Kind::Object if plain => "mappings".into(),
            Kind::Integer if plain => "whole numbers".into(),
            Kind::Number if plain => "numbers".into(),
            Kind::Array if plain => "lists".into(),
            _ => self.describe(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(yaml: &str) -> Shape {
        serde_yaml::from_str(yaml).expect("a shape")
    }

    #[test]
    fn walks_only_where_it_knows() {
        let answer = shape(
            "type: object\nfields:\n  contact: { type: object, fields: { email: { type: string } } }\n  extra: {}",
        );
        let contact = answer.step(&Step::Field("contact".into())).unwrap().unwrap();
        assert_eq!(contact.step(&Step::Field("emial".into())), Err(vec!["email"]));
        assert_eq!(answer.step(&Step::Field("extra".into())).unwrap().unwrap().step(&Step::Item), Ok(None));
    }
}
