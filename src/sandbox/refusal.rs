//! Rejected requests: the reason, and the connector's answer for it.

use std::borrow::Cow;

use indexmap::IndexMap;
use serde_json::{Value, json};

use super::config::Answer;
use super::template::Scope;

/// Why a request is rejected. The name is a key of `refusals` in `sandbox.yaml`, which defines status and body.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) name: Cow<'static, str>,
    /// The mistakes, one sentence each.
    pub(super) messages: Vec<String>,
    /// Further names for the answer.
    pub(super) facts: Vec<(&'static str, Value)>,
}

impl Refusal {
    /// A refusal by its name.
    pub(super) fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), messages: Vec::new(), facts: Vec::new() }
    }

    /// Adds a message.
    pub(super) fn message(mut self, message: impl Into<String>) -> Self {
        self.messages.push(message.into());
        self
    }

    /// Adds a name for the answer.
    pub(super) fn fact(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.facts.push((name, value.into()));
        self
    }

    /// Status and body of the connector's answer.
    pub(super) fn answer(&self, refusals: &IndexMap<String, Answer>, scope: &Scope) -> (u16, Value) {
        let mut scope = scope.clone();
        scope.set("messages", &Value::from(self.messages.clone()));
        scope.set("message", &self.messages.first().cloned().map_or(Value::Null, Value::from));
        for (name, value) in &self.facts {
            scope.set(*name, value);
        }
        let collection =
            self.facts.iter().find(|(name, _)| *name == "collection").and_then(|(_, name)| name.as_str());
        let own = collection.and_then(|collection| refusals.get(&format!("{}.{collection}", self.name)));
        match own.or_else(|| refusals.get(&*self.name)) {
            Some(answer) => {
                let body = answer.body.as_ref().and_then(|body| body.render(&scope));
                (answer.status, body.unwrap_or(Value::Null))
            }
            None => (usual_status(&self.name), json!({ "message": self.messages.join("; ") })),
        }
    }
}

/// For connectors that do not define this refusal.
fn usual_status(name: &str) -> u16 {
    match name {
        "unauthorized" => 401,
        "forbidden" => 403,
        "not_found" | "unknown_path" | "miscased_path" => 404,
        "duplicate" => 409,
        "invalid" => 422,
        "rate_limited" => 429,
        _ => 400,
    }
}
