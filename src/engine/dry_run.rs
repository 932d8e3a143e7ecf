//! Dry runs: reads are sent, effects are reported, and later steps see a sample answer.

use serde_json::Value;

use super::step_outcome::{StepOutcome, done, unusable};
use crate::catalog::Operation;
use crate::connection::Connection;
use crate::request::{RequestBody, prepare};
use crate::run::StepCall;

/// Reports the request instead of sending it, after all checks that precede sending.
pub(super) fn request(call: &StepCall, connection: &Connection) -> StepOutcome {
    let operation = &call.operation;
    if !operation.composite.is_empty() {
        return report(call, format!("would call {} on {}", operation.id, connection.name));
    }
    match prepare(operation, &call.inputs, connection) {
        Ok(request) => {
            let body = match &request.body {
                RequestBody::Empty => String::new(),
                RequestBody::Json(bytes) => format!(" {}", String::from_utf8_lossy(bytes)),
                RequestBody::Form(text) | RequestBody::Text(text) => format!(" {text}"),
                RequestBody::Multipart(parts) => format!(" ({} parts)", parts.len()),
            };
            let (method, url) = (&request.method, &request.url);
            let line = format!("would send {method} {url}{body} ({} on {})", operation.id, connection.name);
            report(call, line)
        }
        Err(problems) => unusable(&operation.id, &problems).into(),
    }
}

/// The outcome of a step that is reported instead of executed.
pub(super) fn report(call: &StepCall, line: String) -> StepOutcome {
    let answer = sample(&call.operation, &call.inputs);
    let told = done(&answer, &call.operation, call.pick.as_deref());
    StepOutcome { remark: Some(line), ..told.step_result.into() }
}

/// A sample answer according to the catalog, with inputs of the same names.
fn sample(operation: &Operation, inputs: &serde_json::Map<String, Value>) -> Value {
    let mut answer = match &operation.response {
        Some(shape) => shape.sample(),
        None => return Value::Object(inputs.clone()),
    };
    overlay(&mut answer, inputs, 3);
    answer
}

fn overlay(value: &mut Value, inputs: &serde_json::Map<String, Value>, depth: usize) {
    let Value::Object(map) = value else { return };
    for (name, field) in map.iter_mut() {
        match inputs.get(name) {
            Some(given) if !given.is_null() => *field = given.clone(),
            _ if depth > 0 => overlay(field, inputs, depth - 1),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_sample_shows_what_was_sent() {
        let operation: Operation = serde_yaml::from_str(
            "title: t\nsummary: s\nkinds: [action]\nresponse: { type: object, fields: { contact: { type: object, fields: { id: { type: string }, email: { type: string } } }, new: { type: boolean } } }",
        )
        .unwrap();
        let inputs = json!({ "email": "a@b.c", "other": 1 });
        let answer = sample(&operation, inputs.as_object().unwrap());
        assert_eq!(answer, json!({ "contact": { "id": "sample", "email": "a@b.c" }, "new": true }));
    }
}
