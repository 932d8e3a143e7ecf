//! The data of a run besides its event and history, and the names that templates read it by.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::json;

use super::Run;
use super::changes::SeenBefore;
use super::loop_limit::LoopLimit;
use crate::check::Feedback;
use crate::event::Event;
use crate::template::Scope;
use crate::value::{Map, Value};

/// What a run knows of its workspace and connections.
#[derive(Debug, Clone, Default)]
pub struct RunContext {
    /// `env`: the variables that the workspace lists.
    pub env: Arc<Value>,
    /// `connection`: connector → `{ name, … }` with the settings of the connection the run uses.
    pub connections: Map<String, Value>,
    /// `links`: name → the other end of the link of the event's record.
    pub links: Map<String, Value>,
    /// How far the times of entries are ahead of the wall clock, because that was set back.
    pub ahead: TimeDelta,
    /// Waits end at once (in a dry run).
    pub skip_waits: bool,
    /// What recipes write that other recipes read.
    pub feedback: Arc<Feedback>,
    /// What was seen of the event's record before, for a recipe that reads it.
    pub seen_before: Option<Arc<SeenBefore>>,
    /// When a chain of runs counts as a loop.
    pub loop_limit: LoopLimit,
}

/// The list in `run` of steps that read only part of a list.
pub(super) const MORE: &str = "more";

/// The list in `run` of steps whose answers were lost, with what was found later as their results.
pub(super) const FOUND: &str = "found";

/// The names that every template of a run can read. `vars`, `steps`, the loop's item and `error` are added later.
pub(super) fn scope(run: &Run, event: &Event, run_context: &RunContext) -> Scope {
    let env = if run_context.env.is_null() { Arc::new(json!({})) } else { Arc::clone(&run_context.env) };
    Scope::new(run.created)
        .with("event", event.payload.clone())
        .with("connection", Value::Object(run_context.connections.clone()))
        .with("links", Value::Object(run_context.links.clone()))
        .with("run", about(run, event))
        .with("env", env)
}

/// The value of `run` in templates.
pub fn about(run: &Run, event: &Event) -> Value {
    json!({
        "id": run.id.0,
        "recipe": run.recipe,
        "created": run.created,
        MORE: [],
        FOUND: [],
        "event": {
            "id": event.id.0,
            "kind": event.kind,
            "record": event.record,
            "received": event.received,
            "source": event.source.to_string(),
            "connection": event.connection,
        },
    })
}
