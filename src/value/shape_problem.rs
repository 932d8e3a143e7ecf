//! Validates values against shapes.

use serde_json::Value;

use super::format::{self, Misfit};
use super::shape::{Kind, Shape};

/// A difference between a value and its shape.
#[derive(Debug, Clone, PartialEq)]
pub struct ShapeProblem {
    /// Keys and indexes from the root to the value.
    pub path: Vec<String>,
    /// The difference.
    pub kind: ProblemKind,
}

/// The kind of a difference.
#[derive(Debug, Clone, PartialEq)]
pub enum ProblemKind {
    /// The JSON type differs.
    WrongType {
        /// The expected type, in words.
        expected: String,
        /// The actual type, in words.
        found: String,
    },
    /// The value is not allowed.
    NotAllowed {
        /// The allowed values.
        allowed: Vec<Value>,
        /// The value given.
        found: Value,
    },
    /// The object has an unknown field.
    UnknownField {
        /// Its name; also the last part of the path.
        name: String,
        /// The known names.
        known: Vec<String>,
    },
    /// The object lacks a required field.
    MissingField {
        /// Its name; the path is that of the object.
        name: String,
    },
    /// The object has none of several fields, one of which is required; the path is that of the object.
    NoneOf {
        /// The fields.
        names: Vec<String>,
    },
    /// The object has a field under two names.
    GivenTwice {
        /// The name that is sent; the last part of the path is the other one.
        name: String,
    },
    /// The text does not match its format.
    Misfit(Misfit),
    /// The number is too small.
    TooSmall {
        /// The minimum.
        minimum: i64,
    },
    /// The number is too large.
    TooLarge {
        /// The maximum.
        maximum: i64,
    },
}

impl ShapeProblem {
    /// The problems without duplicates: an unknown field may be a misspelt required one.
    pub fn without_duplicates(problems: Vec<Self>) -> Vec<Self> {
        let unknown: Vec<Vec<String>> = problems
            .iter()
            .filter(|problem| matches!(problem.kind, ProblemKind::UnknownField { .. }))
            .filter_map(|problem| Some(problem.path.split_last()?.1.to_vec()))
            .collect();
        let is_consequence = |problem: &Self| {
            let lacks = matches!(problem.kind, ProblemKind::MissingField { .. } | ProblemKind::NoneOf { .. });
            lacks && unknown.contains(&problem.path)
        };
        problems.into_iter().filter(|problem| !is_consequence(problem)).collect()
    }

    /// Whether the API will certainly reject it.
    pub fn is_certain(&self) -> bool {
        !matches!(&self.kind, ProblemKind::Misfit(misfit) if !misfit.certain)
    }
}

impl Shape {
    /// All mismatches in `value`. `skip` excludes values such as templates, whose results are unknown.
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
        // The API knows best what it accepts there.
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
        if let (Some(format), Value::String(text)) = (&self.format, value)
            && let Some(misfit) = format::misfit(format, text)
        {
            problems.push(ShapeProblem { path: path.clone(), kind: ProblemKind::Misfit(misfit) });
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
            let own = self.field_name(name);
            match self.field(name) {
                _ if own != name && map.contains_key(own) => problems.push(ShapeProblem {
                    path: path.clone(),
                    kind: ProblemKind::GivenTwice { name: own.to_owned() },
                }),
                // An optional field may be null.
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
        self.check_needs(map, path, problems);
    }

    /// Checks the required fields of `map`.
    fn check_needs(
        &self,
        map: &serde_json::Map<String, Value>,
        path: &[String],
        problems: &mut Vec<ShapeProblem>,
    ) {
        for (name, shape) in &self.fields {
            if shape.required && !map.keys().any(|given| self.field_name(given) == name) {
                let kind = ProblemKind::MissingField { name: name.clone() };
                problems.push(ShapeProblem { path: path.to_vec(), kind });
            }
        }
        let given = |name: &String| {
            map.iter().any(|(given, value)| self.field_name(given) == name && !value.is_null())
        };
        if !self.one_of.is_empty() && !self.one_of.iter().any(given) {
            let kind = ProblemKind::NoneOf { names: self.one_of.clone() };
            problems.push(ShapeProblem { path: path.to_vec(), kind });
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

    fn said(shape: &Shape, value: &Value) -> Vec<String> {
        let problems = shape.check(value, &|value| value == "{{ x }}");
        problems.iter().map(|problem| format!("{} {:?}", problem.path.join("."), problem.kind)).collect()
    }

    #[test]
    fn finds_every_problem_with_its_path() {
        let contact = shape(
            "type: object\nfields:\n  email: { type: string, required: true }\n  tags: { type: array, items: { type: string } }\n  limit: { type: integer, maximum: 100 }",
        );
        let problems = contact.check(&json!({ "tags": ["a", 1], "limit": 200, "emial": "x" }), &|_| false);
        let shown: Vec<String> = problems.iter().map(|p| p.path.join(".")).collect();
        assert_eq!(shown, ["tags.1", "limit", "emial", ""]);
        // The missing `email` is the misspelt one.
        let told: Vec<String> =
            ShapeProblem::without_duplicates(problems).iter().map(|p| p.path.join(".")).collect();
        assert_eq!(told, ["tags.1", "limit", "emial"]);
        let missing = contact.check(&json!({ "tags": [] }), &|_| false);
        assert_eq!(missing[0].kind, ProblemKind::MissingField { name: "email".into() });
    }

    #[test]
    fn templates_and_allowed_nulls_are_not_complained_about() {
        let shape =
            shape("type: object\nfields: { phone: { type: string, nullable: true }, n: { type: integer } }");
        let skip = |value: &Value| value.as_str().is_some_and(|text| text.contains("{{"));
        assert!(shape.check(&json!({ "phone": null, "n": "{{ event.n }}" }), &skip).is_empty());
    }

    #[test]
    fn a_field_may_have_another_name_but_not_both() {
        let shape = shape(
            "{ type: object, also: { wordy: brief }, fields: { brief: { type: integer, required: true } } }",
        );
        assert_eq!(said(&shape, &json!({ "brief": 1 })), [""; 0]);
        assert_eq!(said(&shape, &json!({ "wordy": 1 })), [""; 0]);
        assert_eq!(said(&shape, &json!({ "wordy": "one" })).len(), 1);
        assert_eq!(
            said(&shape, &json!({ "wordy": 1, "brief": 1 })),
            ["wordy GivenTwice { name: \"brief\" }"]
        );
        assert_eq!(said(&shape, &json!({})), [" MissingField { name: \"brief\" }"]);
    }

    #[test]
    fn one_of_several_has_to_say_something() {
        let shape = shape(
            "{ type: object, one_of: [id, key], fields: { id: { type: string }, key: { type: string } } }",
        );
        assert_eq!(said(&shape, &json!({ "id": "a", "key": "b" })), [""; 0]);
        assert_eq!(said(&shape, &json!({ "key": "{{ x }}" })), [""; 0]);
        for nothing in [json!({}), json!({ "id": null })] {
            assert_eq!(said(&shape, &nothing), [" NoneOf { names: [\"id\", \"key\"] }"]);
        }
    }
}
