//! What a value looks like: the type language of the catalog.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The JSON type of a value. `any` makes no promise and so never causes a complaint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Nothing is known.
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

/// The shape of a value: its type, what it may contain and, as a member of an object, whether the
/// object needs it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// The JSON type.
    #[serde(rename = "type", default, skip_serializing_if = "is_default")]
    pub kind: Kind,
    /// As a member of an object: the object must have it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub required: bool,
    /// `null` is allowed too.
    #[serde(default, skip_serializing_if = "is_default")]
    pub nullable: bool,
    /// A closer description of text or numbers: `date-time`, `date`, `email`, `epoch-ms`, `binary`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The only values allowed.
    #[serde(rename = "enum", default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
    /// Shape of each member of an array.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Box<Shape>>,
    /// Known fields of an object, in the order of the description. An object without fields is open.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub fields: IndexMap<String, Shape>,
    /// An object that may have more than its known fields.
    #[serde(default, skip_serializing_if = "is_default")]
    pub open: bool,
    /// Shape of every value of an object used as a map (keys are data, such as dates).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entries: Option<Box<Shape>>,
    /// The description is not sure to be right here: a value or a field that does not fit is warned of
    /// instead of refused.
    #[serde(default, skip_serializing_if = "is_default")]
    pub doubtful: bool,
    /// Alternatives: the value fits at least one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub any_of: Vec<Shape>,
    /// Smallest number allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<i64>,
    /// Largest number allowed, where the API refuses more (`limit`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<i64>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// One step into a value: a field by name, or any member of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// `.name`
    Field(String),
    /// `[3]`, `[*]` or the variable of a loop.
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

/// How a value differs from its shape: where (as steps from the root, list indexes as text) and what.
#[derive(Debug, Clone, PartialEq)]
pub struct ShapeProblem {
    /// Keys and indexes from the root to the offending value.
    pub path: Vec<String>,
    /// The complaint.
    pub kind: ProblemKind,
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq)]
pub enum ProblemKind {
    /// The JSON type is another one than expected.
    WrongType {
        /// What the shape asks for, in words.
        expected: String,
        /// What was given, in words.
        found: String,
    },
    /// The value is not one of the allowed ones.
    NotAllowed {
        /// The allowed values.
        allowed: Vec<Value>,
        /// The value given.
        found: Value,
    },
    /// The object has a field that the shape does not know.
    UnknownField {
        /// Its name; the last part of the path is the same.
        name: String,
        /// The names that would be right.
        known: Vec<String>,
    },
    /// The object lacks a field that it needs.
    MissingField {
        /// Its name; the path is that of the object.
        name: String,
    },
    /// The number is below the smallest allowed.
    TooSmall {
        /// The smallest allowed.
        minimum: i64,
    },
    /// The number is above the largest allowed.
    TooLarge {
        /// The largest allowed.
        maximum: i64,
    },
}

impl Shape {
    /// A shape of this type and nothing more.
    pub fn of(kind: Kind) -> Self {
        Self { kind, ..Self::default() }
    }

    /// A list of `items`.
    pub fn list(items: Shape) -> Self {
        Self { kind: Kind::Array, items: Some(Box::new(items)), ..Self::default() }
    }

    /// An object may have fields that are not listed.
    pub fn is_open(&self) -> bool {
        self.open || self.fields.is_empty()
    }

    /// Follows `step`. `Err` lists the known field names when the field cannot be there; `Ok(None)`
    /// when nothing is known about it.
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
                Some(items) if items.kind != Kind::Any => format!("a list of {}", items.describe()),
                _ => "a list".into(),
            },
        }
    }

    /// Everything in `value` that does not fit. `skip` tells which values not to look at (templates,
    /// whose text says nothing about what they become).
    pub fn check(&self, value: &Value, skip: &dyn Fn(&Value) -> bool) -> Vec<ShapeProblem> {
        let mut problems = Vec::new();
        self.check_into(value, skip, &mut Vec::new(), &mut problems);
        problems
    }

    fn check_into(
        &self,
        value: &Value,
        skip: &dyn Fn(&Value) -> bool,
        path: &mut Vec<String>,
        problems: &mut Vec<ShapeProblem>,
    ) {
        // What the API takes there, it knows best.
        if skip(value) || self.doubtful || (value.is_null() && self.nullable) {
            return;
        }
        if !self.any_of.is_empty() {
            let fits = |shape: &Shape| shape.check(value, skip).is_empty();
            if !self.any_of.iter().any(fits) {
                self.wrong_type(value, path, problems);
            }
            return;
        }
        if !self.accepts_kind(value) {
            self.wrong_type(value, path, problems);
            return;
        }
        if !self.values.is_empty() && !self.values.contains(value) {
            let kind = ProblemKind::NotAllowed { allowed: self.values.clone(), found: value.clone() };
            problems.push(ShapeProblem { path: path.clone(), kind });
        }
        if let (Some(maximum), Some(number)) = (self.maximum, value.as_f64())
            && number > maximum as f64
        {
            problems.push(ShapeProblem { path: path.clone(), kind: ProblemKind::TooLarge { maximum } });
        }
        if let (Some(minimum), Some(number)) = (self.minimum, value.as_f64())
            && number < minimum as f64
        {
            problems.push(ShapeProblem { path: path.clone(), kind: ProblemKind::TooSmall { minimum } });
        }
        match value {
            Value::Object(map) => self.check_object(map, skip, path, problems),
            Value::Array(list) => {
                let Some(items) = &self.items else { return };
                for (index, item) in list.iter().enumerate() {
                    path.push(index.to_string());
                    items.check_into(item, skip, path, problems);
                    path.pop();
                }
            }
            _ => {}
        }
    }

    fn check_object(
        &self,
        map: &serde_json::Map<String, Value>,
        skip: &dyn Fn(&Value) -> bool,
        path: &mut Vec<String>,
        problems: &mut Vec<ShapeProblem>,
    ) {
        for (name, value) in map {
            path.push(name.clone());
            match self.fields.get(name).or(self.entries.as_deref()) {
                // What need not be there may be empty.
                Some(shape) if value.is_null() && !shape.required => {}
                Some(shape) => shape.check_into(value, skip, path, problems),
                None if self.is_open() => {}
                None => problems.push(ShapeProblem {
                    path: path.clone(),
                    kind: ProblemKind::UnknownField {
                        name: name.clone(),
                        known: self.fields.keys().cloned().collect(),
                    },
                }),
            }
            path.pop();
        }
        for (name, shape) in &self.fields {
            if shape.required && !map.contains_key(name) {
                let kind = ProblemKind::MissingField { name: name.clone() };
                problems.push(ShapeProblem { path: path.clone(), kind });
            }
        }
    }

    fn wrong_type(&self, value: &Value, path: &[String], problems: &mut Vec<ShapeProblem>) {
        let kind = ProblemKind::WrongType { expected: self.describe(), found: describe_value(value) };
        problems.push(ShapeProblem { path: path.to_vec(), kind });
    }

    fn accepts_kind(&self, value: &Value) -> bool {
        match self.kind {
            Kind::Any => true,
            Kind::String => value.is_string(),
            Kind::Integer => {
                value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|n| n.fract() == 0.0)
            }
            Kind::Number => value.is_number(),
            Kind::Boolean => value.is_boolean(),
            Kind::Object => value.is_object(),
            Kind::Array => value.is_array(),
        }
    }
}

/// A value in a few words, for "found …".
fn describe_value(value: &Value) -> String {
    match value {
        Value::Null => "nothing (null)".into(),
        Value::Bool(flag) => format!("{flag}"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the text {}", Value::String(text.chars().take(40).collect())),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "a mapping".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shape(yaml: &str) -> Shape {
        serde_yaml::from_str(yaml).expect("a shape")
    }

    #[test]
    fn finds_every_problem_with_its_path() {
        let contact = shape(
            "type: object\nfields:\n  email: { type: string, required: true }\n  tags: { type: array, items: { type: string } }\n  limit: { type: integer, maximum: 100 }",
        );
        let problems = contact.check(&json!({ "tags": ["a", 1], "limit": 200, "emial": "x" }), &|_| false);
        let shown: Vec<String> = problems.iter().map(|p| p.path.join(".")).collect();
        assert_eq!(shown, ["tags.1", "limit", "emial", ""]);
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

    #[test]
    fn templates_and_allowed_nulls_are_not_complained_about() {
        let shape =
            shape("type: object\nfields: { phone: { type: string, nullable: true }, n: { type: integer } }");
        let skip = |value: &Value| value.as_str().is_some_and(|text| text.contains("{{"));
        assert!(shape.check(&json!({ "phone": null, "n": "{{ event.n }}" }), &skip).is_empty());
    }
}
