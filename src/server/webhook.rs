//! `POST /webhooks/…`: stores an event, then acknowledges it.

use axum::body::HttpBody;
use axum::extract::{Path, Request, State};
use axum::http::header::{ACCEPT_ENCODING, ALLOW, EXPECT, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use chrono::TimeDelta;
use serde_json::json;

use super::Server;
use super::answer::{SHOWN, refuse};
use super::body::{Unread, discard};
use super::connection_slots::Slot;
use super::cors;
use crate::journal::{Appended, Batch, Error};
use crate::printable;
use crate::trigger::webhook::{Delivery, Received, Receiver, Refused, Unreadable};

/// Methods of webhook addresses.
const METHODS: HeaderValue = HeaderValue::from_static("OPTIONS, POST");
/// Supported content codings.
const CODINGS: HeaderValue = HeaderValue::from_static("gzip, deflate");
/// Seconds after which senders may retry.
const PAUSE: HeaderValue = HeaderValue::from_static("30");

/// Answers any request to an address below `/webhooks`.
pub(super) async fn answer(
    State(server): State<Server>,
    Path(path): Path<String>,
    request: Request,
) -> Response {
    let receiver = server.shared().receiver();
    let origin = cors::origin(request.headers(), |origin| receiver.allows(&path, origin));
    let known = || receiver.knows(&path, server.shared().services.clock.now());
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
    let counts = &server.shared().counts;
    // Unknown addresses are unbounded and share one label.
    let label = receiver.listening_at(path).unwrap_or_default();
    let slot = request.extensions().get::<Slot>().cloned();
    match take(server, receiver, path, request).await {
        Ok(received) => {
            let _proven = slot.as_ref().map(Slot::protect);
            store(server, &label, received).await
        }
        Err(not_taken) => {
            counts.count(&label, "refused");
            tracing::warn!(path = shown(path), reason = %not_taken, "webhook refused");
            refusal(&not_taken)
        }
    }
}

async fn take(
    server: &Server,
    receiver: &Receiver,
    path: &str,
    request: Request,
) -> Result<Received, NotTaken> {
    let shared = server.shared();
    let (Parts { headers, .. }, body) = request.into_parts();
    let largest = shared.settings.largest_body;
    let admitted = {
        let header = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
        receiver.admit(path, &header, shared.services.clock.now())
    };
    // A request that will be rejected is rejected before its body is read; if its length is announced, it is not sent
    // at all.
    let is_too_large = body.size_hint().lower() > u64::try_from(largest).unwrap_or(u64::MAX);
    let refused = match admitted {
        Err(refused) => Some(NotTaken::from(refused)),
        Ok(()) => is_too_large.then_some(NotTaken::Unread(Unread::TooLarge(largest))),
    };
    if let Some(refused) = refused {
        // Reading would ask a sender with `Expect` to send.
        if !headers.contains_key(EXPECT) {
            discard(body);
        }
        return Err(refused);
    }
    let body = shared.room.read(body, largest).await?;
    let header = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
    let delivery =
        Delivery { path, header: &header, body: &body.bytes, largest, received: shared.services.clock.now() };
    Ok(receiver.receive(&delivery)?)
}

/// Why a request is rejected: its content or its form.
#[derive(Debug, thiserror::Error)]
enum NotTaken {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(transparent)]
    Unread(#[from] Unread),
}

fn refusal(not_taken: &NotTaken) -> Response {
    let refused = match not_taken {
        NotTaken::Refused(refused) => refused,
        NotTaken::Unread(unread) => {
            let response = refuse(unread.status(), &unread.to_string());
            return if *unread == Unread::NoRoom { with(response, RETRY_AFTER, PAUSE) } else { response };
        }
    };
    let status = match refused {
        Refused::Unknown => StatusCode::NOT_FOUND,
        Refused::Absent => StatusCode::TOO_MANY_REQUESTS,
        Refused::Unverified(_) => StatusCode::UNAUTHORIZED,
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
        Refused::Absent => with(response, RETRY_AFTER, PAUSE),
        // RFC 9110, 12.5.3: tells the sender what is supported.
        Refused::Unreadable(Unreadable::UnknownEncoding(_)) => with(response, ACCEPT_ENCODING, CODINGS),
        _ => response,
    }
}

async fn store(server: &Server, label: &str, received: Received) -> Response {
    let shared = server.shared();
    let (id, kind) = (received.event.id.clone(), received.event.kind.to_string());
    let remark = received.remark.clone();
    match append(server, received).await {
        Ok(appended) => {
            let duplicate = appended.duplicates > 0;
            shared.counts.count(label, if duplicate { "duplicate" } else { "stored" });
            tracing::info!(event = %id, kind, runs = appended.runs, duplicate, remark, "webhook received");
            if !shared.settings.keeps {
                let reason = "this is a dry run: the event was shown, not kept; send it again later";
                return refuse(StatusCode::TOO_MANY_REQUESTS, reason);
            }
            let event = (!duplicate).then_some(id.0);
            let answer =
                json!({ "event": event, "runs": appended.runs, "duplicate": duplicate, "remark": remark });
            super::answer::answer(StatusCode::OK, &answer)
        }
        Err(error) => {
            shared.counts.count(label, "not_stored");
            tracing::error!(kind, %error, "webhook not stored; the sender is asked to try again");
            let reason = "the event cannot be stored now; send it again later";
            with(refuse(StatusCode::TOO_MANY_REQUESTS, reason), RETRY_AFTER, PAUSE)
        }
    }
}

async fn append(server: &Server, received: Received) -> Result<Appended, Error> {
    let Received { event, runs, window, .. } = received;
    let journal = &server.shared().services.journal;
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

/// The address, safe to display.
fn shown(path: &str) -> String {
    printable::line(path, SHOWN)
}
