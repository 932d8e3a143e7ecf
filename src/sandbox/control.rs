//! `/_sandbox`: the stand-in's own API, for tests and people.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Fault, Sandbox};

/// Records of a collection shown by `/_sandbox/state` when none are asked for.
const DEFAULT_LIMIT: usize = 50;

/// The routes.
pub(super) fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/", get(about))
        .route("/_sandbox/log", get(log))
        .route("/_sandbox/state", get(state))
        .route("/_sandbox/example", get(example))
        .route("/_sandbox/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/_sandbox/reset", post(reset))
}

async fn about(State(sandbox): State<Sandbox>) -> Json<Value> {
    let connectors: serde_json::Map<String, Value> = sandbox
        .connectors()
        .map(|name| {
            let about = json!({ "auth": sandbox.credential(name), "settings": sandbox.settings(name) });
            (name.to_owned(), about)
        })
        .collect();
    Json(json!({ "connectors": connectors, "control": ["log", "state", "example", "faults", "reset"] }))
}

async fn log(State(sandbox): State<Sandbox>) -> Json<Value> {
    let (served, totals) = sandbox.totals();
    Json(json!({ "served": served, "totals": totals, "entries": sandbox.log() }))
}

#[derive(Debug, Deserialize)]
struct StateQuery {
    connector: Option<String>,
    collection: Option<String>,
    limit: Option<usize>,
}

async fn state(State(sandbox): State<Sandbox>, Query(query): Query<StateQuery>) -> Response {
    if let (Some(connector), Some(collection)) = (&query.connector, &query.collection) {
        return match sandbox.records(connector, collection, query.limit.unwrap_or(DEFAULT_LIMIT)) {
            Some(records) => Json(records).into_response(),
            None => (StatusCode::NOT_FOUND, "no such collection\n").into_response(),
        };
    }
    let counts: serde_json::Map<String, Value> = sandbox
        .connectors()
        .filter(|name| query.connector.as_deref().is_none_or(|wanted| wanted == *name))
        .map(|name| (name.to_owned(), json!(sandbox.counts(name))))
        .collect();
    Json(Value::Object(counts)).into_response()
}

#[derive(Debug, Deserialize)]
struct ExampleQuery {
    operation: String,
}

async fn example(State(sandbox): State<Sandbox>, Query(query): Query<ExampleQuery>) -> Response {
    match sandbox.example(&query.operation) {
        Some(inputs) => Json(inputs).into_response(),
        None => (StatusCode::NOT_FOUND, "no such operation\n").into_response(),
    }
}

async fn faults(State(sandbox): State<Sandbox>) -> Json<Vec<Fault>> {
    Json(sandbox.faults())
}

async fn add_fault(State(sandbox): State<Sandbox>, Json(fault): Json<Fault>) -> StatusCode {
    sandbox.add_fault(fault);
    StatusCode::NO_CONTENT
}

async fn clear_faults(State(sandbox): State<Sandbox>) -> StatusCode {
    sandbox.clear_faults();
    StatusCode::NO_CONTENT
}

async fn reset(State(sandbox): State<Sandbox>) -> StatusCode {
    sandbox.reset();
    StatusCode::NO_CONTENT
}
