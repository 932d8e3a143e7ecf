//! The stand-in as an axum router: a single fallback route, because paths come from the catalog.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;

use super::answer::Content;
use super::fault::FaultKind;
use super::handler::{Incoming, Served};
use super::server::Connection;
use super::{Sandbox, control};

/// Largest request body.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

impl Sandbox {
    /// The router: each connector below `/NAME`, and `/_sandbox` for its control.
    pub fn router(&self) -> Router {
        control::routes().fallback(serve).with_state(self.clone())
    }
}

async fn serve(State(sandbox): State<Sandbox>, request: Request) -> Response {
    let connection = request.extensions().get::<ConnectInfo<Connection>>().map(|info| info.0.clone());
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let whole = parts.uri.path();
    let below = whole.trim_start_matches('/');
    let (connector, path) = below.split_once('/').unwrap_or((below, ""));
    let path = format!("/{path}");
    let instance = parts.headers.get(HOST).and_then(|instance| instance.to_str().ok()).unwrap_or("localhost");
    let origin = format!("http://{instance}/{connector}");
    let incoming = Incoming {
        method: parts.method.as_str(),
        path: &path,
        query: parts.uri.query().unwrap_or(""),
        headers: &parts.headers,
        body: &body,
        origin: &origin,
    };
    let Some((served, fault)) = sandbox.answer(connector, incoming) else {
        let known: Vec<&str> = sandbox.connectors().collect();
        let said = format!("no connector {connector:?} here; there is {}\n", known.join(", "));
        return (StatusCode::NOT_FOUND, said).into_response();
    };
    match fault {
        Some(FaultKind::Close) => closed(connection.as_ref()),
        Some(FaultKind::Hang) => std::future::pending().await,
        Some(FaultKind::Truncate) => truncated(served),
        Some(FaultKind::Delay(ms)) => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            response(served)
        }
        _ => response(served),
    }
}

fn response(served: Served) -> Response {
    let (media_type, bytes) = content(served.content);
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = StatusCode::from_u16(served.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = served.headers;
    if let Ok(media_type) = HeaderValue::from_str(&media_type) {
        response.headers_mut().insert(CONTENT_TYPE, media_type);
    }
    response
}

fn content(content: Content) -> (String, Vec<u8>) {
    match content {
        Content::Json(value) => {
            ("application/json; charset=utf-8".to_owned(), value.to_string().into_bytes())
        }
        Content::File { media_type, bytes } => (media_type, bytes),
    }
}

/// Closes the connection without an answer. Behind another server, where that is impossible, the answer is cut off.
fn closed(connection: Option<&Connection>) -> Response {
    match connection {
        Some(connection) => {
            connection.break_off();
            StatusCode::OK.into_response()
        }
        None => broken_off(Bytes::new()),
    }
}

/// Half of the answer, then closes the connection.
fn truncated(served: Served) -> Response {
    let (media_type, bytes) = content(served.content);
    let half = bytes.len() / 2;
    let mut response = broken_off(Bytes::from(bytes).slice(..half));
    if let Ok(media_type) = HeaderValue::from_str(&media_type) {
        response.headers_mut().insert(CONTENT_TYPE, media_type);
    }
    response
}

fn broken_off(first: Bytes) -> Response {
    let first = futures::stream::once(std::future::ready(Ok(first)));
    let end = futures::stream::once(async {
        // Data written so far must be sent before the connection is closed.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    });
    Response::new(Body::from_stream(first.chain(end)))
}
