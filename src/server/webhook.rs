//! `POST /webhooks/…`: an event is stored, then acknowledged.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::header::{ACCEPT_ENCODING, ALLOW, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use serde_json::json;

use super::Server;
use super::answer::refuse;
use super::cors;
use crate::journal::{Appended, Batch, Error};
use crate::trigger::webhook::{Delivery, Received, Receiver, Refused, Unreadable};

/// What can be asked of an address.
const METHODS: HeaderValue = HeaderValue::from_static("OPTIONS, POST");
/// Codings of bodies that are undone.
const CODINGS: HeaderValue = HeaderValue::from_static("gzip, deflate");
/// Seconds after which a sender may try again.
const PAUSE: HeaderValue = HeaderValue::from_static("30");
/// Most characters of an address that is shown.
const SHOWN: usize = 200;

/// Answers whatever is asked of an address below `/webhooks`.
pub(super) async fn answer(
    State(server): State<Server>,
    Path(path): Path<String>,
    request: Request,
) -> Response {
    let receiver = server.shared().receiver();
    let origin = cors::origin(request.headers(), |origin| receiver.allows(&path, origin));
    let known = || receiver.knows(&path, server.shared().clock.now());
    let response = match *request.method() {
        Method::POST => receive(&server, &receiver, &path, request).await,
        Method::OPTIONS if known() => cors::preflight(request.headers(), origin.as_ref()),
        _ if known() => {
            let response = refuse(StatusCode::METHOD_NOT_ALLOWED, "a webhook is sent with POST");
            with(response, ALLOW, METHODS)
        }
        _ => refuse(StatusCode::NOT_FOUND, &format!("nothing is received at /webhooks/{}", shown(&path))),
    };
    cors::allowing(response, origin)
}

async fn receive(server: &Server, receiver: &Receiver, path: &str, request: Request) -> Response {
    let shared = server.shared();
    let headers = request.headers().clone();
    let body = match Bytes::from_request(request, &()).await {
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
    match take(server, receiver, path, &headers, &body) {
        Ok(received) => store(server, received).await,
        Err(refused) => {
            shared.counts.refused();
            let path = shown(path);
            tracing::warn!(path, reason = %refused, "webhook refused");
            refusal(&refused)
        }
    }
}

fn take(
    server: &Server,
    receiver: &Receiver,
    path: &str,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Received, Refused> {
    let shared = server.shared();
    let header = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
    receiver.receive(&Delivery {
        path,
        header: &header,
        body,
        largest: shared.settings.largest_body,
        received: shared.clock.now(),
    })
}

fn refusal(refused: &Refused) -> Response {
    let status = match refused {
        Refused::Unknown => StatusCode::NOT_FOUND,
        Refused::Away => StatusCode::TOO_MANY_REQUESTS,
        Refused::Unproven(_) => StatusCode::UNAUTHORIZED,
        Refused::Unreadable(unreadable) => match unreadable {
            Unreadable::NotJson { .. } | Unreadable::NotAForm(_) | Unreadable::Damaged(_) => {
                StatusCode::BAD_REQUEST
            }
            Unreadable::UnknownType(_) | Unreadable::UnknownEncoding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Unreadable::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        },
    };
    let response = refuse(status, &refused.to_string());
    match refused {
        Refused::Away => with(response, RETRY_AFTER, PAUSE),
        // RFC 9110, 12.5.3: so a sender learns what it may use.
        Refused::Unreadable(Unreadable::UnknownEncoding(_)) => with(response, ACCEPT_ENCODING, CODINGS),
        _ => response,
    }
}

async fn store(server: &Server, received: Received) -> Response {
    let shared = server.shared();
    let (id, kind) = (received.event.id.clone(), received.event.kind.clone());
    let remark = received.remark.clone();
    match append(server, received).await {
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
            let reason = "the event cannot be stored now; send it again later";
            with(refuse(StatusCode::TOO_MANY_REQUESTS, reason), RETRY_AFTER, PAUSE)
        }
    }
}

async fn append(server: &Server, received: Received) -> Result<Appended, Error> {
    let Received { event, runs, window, .. } = received;
    let journal = &server.shared().journal;
    let window = window.and_then(|window| TimeDelta::from_std(window).ok());
    if let Some(before) = window.and_then(|window| event.received.checked_sub_signed(window)) {
        journal.forget_receipt(&event.source, &event.dedup, before).await?;
    }
    journal.append(Batch { events: vec![(event, runs)], progress: None }).await
}

fn with(mut response: Response, name: HeaderName, value: HeaderValue) -> Response {
    response.headers_mut().insert(name, value);
    response
}

/// The address as it may be shown: anybody can write anything there.
fn shown(path: &str) -> String {
    path.chars().take(SHOWN).flat_map(char::escape_debug).collect()
}
