//! The effect of sending a step twice.

use super::operation::{Builtin, Effect, Operation};
use crate::value::{Map, Value};

/// The effect of `operation` with `inputs`. `http.request` has the effect of its method.
pub fn effect(operation: &Operation, inputs: &Map<String, Value>) -> Effect {
    if operation.builtin != Some(Builtin::HttpRequest) {
        return operation.effect_with(inputs);
    }
    match method(inputs).as_str() {
        "GET" | "HEAD" => Effect::Read,
        "PUT" | "DELETE" => Effect::Idempotent,
        _ => Effect::Create,
    }
}

/// The method of `http.request`: as given, else POST with a body and GET without.
pub fn method(inputs: &Map<String, Value>) -> String {
    let has_body =
        ["json", "form", "text"].iter().any(|name| inputs.get(*name).is_some_and(|v| !v.is_null()));
    match inputs.get("method").and_then(Value::as_str) {
        Some(method) => method.to_uppercase(),
        None if has_body => "POST".into(),
        None => "GET".into(),
    }
}
