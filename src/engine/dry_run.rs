//! Dry runs: reads are sent, effects are reported, and later steps see a sample answer.

use super::step_outcome::{StepOutcome, done, unusable};
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
    let answer = call.operation.sample_answer(&call.inputs);
    let told = done(&answer, &call.operation, call.pick.as_deref());
    StepOutcome { remark: Some(line), ..told.step_result.into() }
}
