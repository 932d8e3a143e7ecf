//! Reads the inputs of a request according to the catalog, and validates them.

use serde_json::{Map, Value};
use url::{Url, form_urlencoded};

use super::refusal::Refusal;
use super::route::{Found, Routes};
use super::service::Service;
use crate::catalog::{ArrayStyle, Encoding, Operation, Parameter, Place};
use crate::value::{Kind, ProblemKind, ShapeProblem, read_json};

/// A request's inputs by place.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    pub(super) path: Map<String, Value>,
    pub(super) query: Map<String, Value>,
    pub(super) body: Value,
}

impl Inputs {
    /// Changes the query and the body.
    pub(super) fn rewrite(&mut self, change: impl Fn(&mut Value)) {
        let mut query = Value::Object(std::mem::take(&mut self.query));
        change(&mut query);
        if let Value::Object(query) = query {
            self.query = query;
        }
        change(&mut self.body);
    }
}

/// A received request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Raw<'a> {
    pub(super) query: &'a str,
    pub(super) content_type: &'a str,
    pub(super) body: &'a [u8],
}

/// The inputs of a request for `operation` in one mapping, as under `with` in a recipe. What cannot be read is left out.
pub fn request_inputs(operation: &Operation, url: &Url, body: &[u8]) -> Map<String, Value> {
    let mut routes = Routes::default();
    routes.add(&operation.id, &operation.method, &operation.path);
    // The base URL may have a path of its own.
    let length = operation.path.matches('/').count();
    let begin = url.path().rmatch_indices('/').nth(length.saturating_sub(1)).map_or(0, |(at, _)| at);
    let mut inputs = Map::new();
    if let Found::Operation(_, on_wire) = routes.find(&operation.method, &url.path()[begin..]) {
        let given = operation.parameters.iter().filter(|(_, parameter)| parameter.place == Place::Path);
        inputs.extend(given.filter_map(|(name, parameter)| {
            let text = on_wire.get(parameter.on_wire(name))?.as_str()?;
            Some((name.clone(), typed(parameter.shape.kind, text)))
        }));
    }
    inputs.extend(read_query(operation, url.query().unwrap_or_default(), &mut Vec::new()));
    let whole = operation.body.as_ref().and_then(|body| body.whole.as_ref());
    let raw = Raw { query: "", content_type: "application/json", body };
    match (read_body(operation, raw), whole) {
        (Ok(value), Some(name)) => drop(inputs.insert(name.clone(), value)),
        (Ok(Value::Object(fields)), None) => inputs.extend(fields),
        _ => {}
    }
    inputs
}

/// The inputs of `operation`, or the refusal.
pub(super) fn read(
    service: &Service,
    operation: &Operation,
    path: Map<String, Value>,
    raw: Raw<'_>,
) -> Result<Inputs, Refusal> {
    let mut problems = Vec::new();
    let query = read_query(operation, raw.query, &mut problems);
    let body = read_body(operation, raw)?;
    check_body(operation, &body, &mut problems);
    let inputs = Inputs { path, query, body };
    check_bound(service, operation, &inputs)?;
    for (name, parameter) in &operation.parameters {
        check_parameter(name, parameter, &inputs, &mut problems);
    }
    check_one_of(operation, &inputs, service, &problems)?;
    if problems.is_empty() { Ok(inputs) } else { Err(refusal(service, &problems)) }
}

fn refusal(service: &Service, problems: &[ShapeProblem]) -> Refusal {
    let too_large = |problem: &&ShapeProblem| matches!(problem.kind, ProblemKind::TooLarge { .. });
    let mut refusal = match problems.iter().find(too_large) {
        Some(_) => Refusal::new("too_large"),
        None => Refusal::new("invalid"),
    };
    refusal.messages = problems.iter().map(|problem| service.complaint(problem)).collect();
    refusal
}

fn read_query(operation: &Operation, text: &str, problems: &mut Vec<ShapeProblem>) -> Map<String, Value> {
    let mut query = Map::new();
    for (key, value) in form_urlencoded::parse(text.as_bytes()) {
        let wire = key.strip_suffix("[]").unwrap_or(&key);
        let known = operation.parameters.iter().find(|(name, parameter)| {
            parameter.place == Place::Query
                && parameter.wire.as_ref().unwrap_or(name).trim_end_matches("[]") == wire
        });
        let Some((name, parameter)) = known else {
            let kind = ProblemKind::UnknownField { name: key.to_string(), known: Vec::new() };
            problems.push(ShapeProblem { path: vec![key.into_owned()], kind });
            continue;
        };
        if parameter.shape.kind != Kind::Array {
            query.insert(name.clone(), typed(parameter.shape.kind, &value));
            continue;
        }
        let items = parameter.shape.items.as_ref().map_or(Kind::Any, |items| items.kind);
        let list = query.entry(name.clone()).or_insert_with(|| Value::Array(Vec::new()));
        let Value::Array(list) = list else { continue };
        match parameter.style {
            ArrayStyle::Comma => list.extend(value.split(',').map(|member| typed(items, member))),
            ArrayStyle::Repeat | ArrayStyle::Brackets => list.push(typed(items, &value)),
        }
    }
    query
}

/// Query text converted to `kind`; text that cannot be converted is left to validation.
fn typed(kind: Kind, text: &str) -> Value {
    let number =
        || text.parse::<i64>().map(Value::from).ok().or_else(|| text.parse::<f64>().map(Value::from).ok());
    match kind {
        Kind::Integer | Kind::Number => number().unwrap_or_else(|| Value::from(text)),
        Kind::Boolean => text.parse::<bool>().map_or_else(|_| Value::from(text), Value::from),
        _ => Value::from(text),
    }
}

fn read_body(operation: &Operation, raw: Raw<'_>) -> Result<Value, Refusal> {
    let Some(body) = &operation.body else { return Ok(Value::Null) };
    match body.encoding {
        _ if raw.body.is_empty() => Ok(Value::Object(Map::new())),
        Encoding::Form => {
            let pairs = form_urlencoded::parse(raw.body);
            let field = |name: &str| body.shape.fields.get(name).map_or(Kind::String, |shape| shape.kind);
            Ok(Value::Object(
                pairs.map(|(name, value)| (name.to_string(), typed(field(&name), &value))).collect(),
            ))
        }
        // Files are accepted unread.
        Encoding::Multipart => Ok(Value::Object(Map::new())),
        Encoding::Json if !raw.content_type.contains("json") => {
            Err(Refusal::new("malformed")
                .message(format!("cannot read a body of type {:?}", raw.content_type)))
        }
        Encoding::Json => {
            read_json(raw.body, None).map_err(|error| Refusal::new("malformed").message(error.to_string()))
        }
    }
}

fn check_body(operation: &Operation, body: &Value, problems: &mut Vec<ShapeProblem>) {
    let Some(described) = &operation.body else { return };
    if described.encoding != Encoding::Multipart {
        // Optional fields may be null: the vendor's validation skips them.
        let found = described.shape.check(body, &Value::is_null);
        problems.extend(found.into_iter().filter(ShapeProblem::is_certain));
    }
}

fn check_parameter(name: &str, parameter: &Parameter, inputs: &Inputs, problems: &mut Vec<ShapeProblem>) {
    let given = match parameter.place {
        Place::Path => inputs.path.get(parameter.on_wire(name)),
        Place::Query => inputs.query.get(name),
        Place::Header => return,
    };
    let place = |mut problem: ShapeProblem| {
        problem.path.insert(0, name.to_owned());
        problem
    };
    match given {
        Some(value) => {
            let found = parameter.shape.check(value, &Value::is_null).into_iter();
            problems.extend(found.filter(ShapeProblem::is_certain).map(place));
        }
        None if parameter.shape.required && parameter.place == Place::Query => {
            let kind = ProblemKind::MissingField { name: name.to_owned() };
            problems.push(ShapeProblem { path: Vec::new(), kind });
        }
        None => {}
    }
}

/// Checks inputs that name the account: the token is bound to it.
fn check_bound(service: &Service, operation: &Operation, inputs: &Inputs) -> Result<(), Refusal> {
    let unread = operation.body.as_ref().is_some_and(|body| body.encoding == Encoding::Multipart);
    for (name, wanted) in service.bound_inputs() {
        let Some(input) = operation.input(name).filter(|input| input.place != Some(Place::Path)) else {
            continue;
        };
        let given = inputs.query.get(name).or_else(|| inputs.body.get(name));
        let fits = match given {
            Some(value) => value.as_str() == Some(wanted),
            None => !input.shape.required || (unread && input.place.is_none()),
        };
        if !fits {
            return Err(Refusal::new("forbidden").fact("field", name));
        }
    }
    Ok(())
}

fn check_one_of(
    operation: &Operation,
    inputs: &Inputs,
    service: &Service,
    problems: &[ShapeProblem],
) -> Result<(), Refusal> {
    let given = |name: &String| {
        inputs.path.contains_key(name) || inputs.query.contains_key(name) || inputs.body.get(name).is_some()
    };
    if operation.one_of.is_empty() || !problems.is_empty() || operation.one_of.iter().any(given) {
        return Ok(());
    }
    Err(Refusal::new("invalid").message(service.one_of_complaint(&operation.one_of)))
}
