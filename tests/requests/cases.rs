//! Inputs for an operation: the required ones, all of them, and each alternative.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::described::Described;

/// A request to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// What is tried, for messages.
    pub name: String,
    /// Values of the parameters by place and name.
    pub parameters: BTreeMap<(String, String), Value>,
    /// The body.
    pub body: Option<Value>,
}

/// How many of the inputs are given.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Extent {
    Required,
    All,
}

/// Generates values of schemas.
#[derive(Default)]
struct Maker {
    /// Place of an alternative → the chosen one; the first by default.
    choices: BTreeMap<String, usize>,
    /// Places with alternatives, and their numbers.
    seen: BTreeMap<String, usize>,
}

/// Every case of a request.
pub fn cases(described: &Described) -> Vec<Case> {
    let mut maker = Maker::default();
    let all = maker.case(described, Extent::All, "all".into());
    let required = Maker::default().case(described, Extent::Required, "required".into());
    let mut cases = alone(&required, &all);
    for (place, count) in std::mem::take(&mut maker.seen) {
        for choice in 1..count {
            let mut maker = Maker { choices: [(place.clone(), choice)].into(), ..Maker::default() };
            cases.push(maker.case(described, Extent::All, format!("all, alternative {choice} of {place}")));
        }
    }
    cases.extend([required, all]);
    cases
}

/// The required inputs, and one more.
fn alone(required: &Case, all: &Case) -> Vec<Case> {
    let more = all.parameters.iter().filter(|(key, _)| !required.parameters.contains_key(*key));
    let parameters = more.map(|(key, value)| {
        let mut case = Case { name: format!("required and {}", key.1), ..required.clone() };
        case.parameters.insert(key.clone(), value.clone());
        case
    });
    let fields = all.body.as_ref().and_then(Value::as_object).into_iter().flatten();
    let more = fields.filter(|(name, _)| required.body.as_ref().is_some_and(|body| body.get(name).is_none()));
    let fields = more.map(|(name, value)| {
        let mut case = Case { name: format!("required and {name}"), ..required.clone() };
        if let Some(Value::Object(body)) = &mut case.body {
            body.insert(name.clone(), value.clone());
        }
        case
    });
    parameters.chain(fields).collect()
}

impl Maker {
    fn case(&mut self, described: &Described, extent: Extent, name: String) -> Case {
        let mut parameters = BTreeMap::new();
        for parameter in &described.parameters {
            if extent == Extent::All || parameter.required || parameter.place == "path" {
                let key = (parameter.place.clone(), parameter.name.clone());
                parameters
                    .insert(key, self.value(&parameter.name, &parameter.name, &parameter.schema, extent));
            }
        }
        // Some are only in the path.
        for name in described.path.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
            parameters.entry(("path".into(), name.to_owned())).or_insert_with(|| json!("text-1"));
        }
        let body = described.body.as_ref().map(|schema| self.value("body", "", schema, extent));
        Case { name, parameters, body }
    }

    fn choice(&mut self, place: &str, count: usize) -> usize {
        self.seen.insert(place.to_owned(), count);
        self.choices.get(place).copied().unwrap_or(0)
    }

    fn value(&mut self, place: &str, name: &str, schema: &Value, extent: Extent) -> Value {
        if let Some(sample) = schema.get("example") {
            return sample.clone();
        }
        if let Some(values) = schema["enum"].as_array().filter(|values| !values.is_empty()) {
            return values[self.choice(place, values.len())].clone();
        }
        if let Some(parts) = schema["anyOf"].as_array().filter(|parts| !parts.is_empty()) {
            let part = &parts[self.choice(place, parts.len())];
            return self.value(&format!("{place}|"), name, part, extent);
        }
        match schema["type"].as_str() {
            Some("object") => self.object(place, schema, extent),
            Some("array") => json!([self.value(&format!("{place}[]"), name, &schema["items"], extent)]),
            Some("boolean") => json!(self.choice(place, 2) == 0),
            Some("number" | "integer") => {
                let bound = |key: &str| schema[key].as_i64();
                json!(10.min(bound("maximum").unwrap_or(10)).max(bound("minimum").unwrap_or(0)))
            }
            _ if name.to_lowercase().contains("email") => json!("ada@example.com"),
            _ => json!("text-1"),
        }
    }

    fn object(&mut self, place: &str, schema: &Value, extent: Extent) -> Value {
        let required =
            |name: &str| schema["required"].as_array().is_some_and(|all| all.contains(&json!(name)));
        let mut object = Map::new();
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            if extent == Extent::All || required(name) {
                object.insert(name.clone(), self.value(&format!("{place}.{name}"), name, field, extent));
            }
        }
        Value::Object(object)
    }
}
