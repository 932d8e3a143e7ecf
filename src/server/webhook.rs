//! `POST /webhooks/…`: an event is stored, then acknowledged.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::Server;
use super::answer::refuse;
use crate::journal::Batch;
use crate::trigger::webhook::{Received, Refused};

pub(super) async fn receive(
    State(server): State<Server>,
    Path(path): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let shared = server.shared();
    let body = match body {
        Ok(body) => body,
        Err(rejection) => {
            shared.counts.refused();
            let limit = shared.settings.largest_body;
            return match rejection.status() {
                StatusCode::PAYLOAD_TOO_LARGE => {
                    let reason = format!("the body is larger than the limit of {limit} bytes");
                    refuse(StatusCode::PAYLOAD_TOO_LARGE, &reason)
                }
                status => refuse(status, "the body is incomplete"),
            };
        }
    };
    let header = |name: &str| headers.get(name).map(|value| value.as_bytes());
    let received = shared.receiver().receive(&path, header, &body, shared.clock.now());
    match received {
        Ok(received) => store(&server, received).await,
        Err(refused) => {
            shared.counts.refused();
            tracing::warn!(path, reason = %refused, "webhook refused");
            let status = match refused {
                Refused::Unknown { .. } => StatusCode::NOT_FOUND,
                Refused::Unproven(_) => StatusCode::UNAUTHORIZED,
                Refused::NotJson(_) => StatusCode::BAD_REQUEST,
            };
            refuse(status, &refused.to_string())
        }
    }
}

async fn store(server: &Server, received: Received) -> Response {
    let shared = server.shared();
    let Received { event, runs, remark } = received;
    let (id, kind) = (event.id.clone(), event.kind.clone());
    let batch = Batch { events: vec![(event, runs)], progress: None };
    match shared.journal.append(batch).await {
        Ok(appended) => {
            let duplicate = appended.duplicates > 0;
            shared.counts.taken(duplicate);
            tracing::info!(event = %id, kind, runs = appended.runs, duplicate, remark, "webhook received");
            if !shared.settings.keeps {
                let reason = "this is a dry run: the event was shown, not kept; send it again later";
                return refuse(StatusCode::TOO_MANY_REQUESTS, reason);
            }
            let event = (!duplicate).then_some(id.0);
            let answer =
                json!({ "event": event, "runs": appended.runs, "duplicate": duplicate, "remark": remark });
            Json(answer).into_response()
        }
        Err(error) => {
            shared.counts.not_stored();
            tracing::error!(kind, %error, "webhook not stored; the sender is asked to try again");
            refuse(StatusCode::TOO_MANY_REQUESTS, "the event cannot be stored now; send it again later")
        }
    }
}
