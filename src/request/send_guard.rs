//! A last check right before a request is sent.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use reqwest::header::{CONTENT_LENGTH, HeaderValue};

/// A check made right before a request is sent. A caller that may send only while it holds a lease closes the guard
/// when the lease expires, because a process can be suspended between any two instructions, for any time.
#[derive(Clone)]
pub struct SendGuard(Arc<dyn Fn() -> bool + Send + Sync>);

/// One request that is sent through a guard.
pub(super) struct GuardedBody {
    guard: SendGuard,
    refused: Arc<AtomicBool>,
}

#[derive(Debug, thiserror::Error)]
#[error("it is too late to send it")]
struct TooLate;

impl SendGuard {
    /// A guard that is open while `holds` returns true.
    pub fn new(holds: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(holds))
    }

    pub(super) fn is_open(&self) -> bool {
        (self.0)()
    }
}

impl fmt::Debug for SendGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SendGuard")
    }
}

impl GuardedBody {
    pub(super) fn new(guard: SendGuard) -> Self {
        Self { guard, refused: Arc::default() }
    }

    /// Whether the guard refused the request.
    pub(super) fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Acquire)
    }

    /// Checks the guard when the body is handed to the connection. Head and body are then written together, and
    /// when the body fails the head is not sent either. A request without a body, or with a streamed one, is only
    /// checked before it is sent.
    pub(super) fn guard(&self, request: &mut reqwest::Request) {
        let bytes = request.body().and_then(reqwest::Body::as_bytes).map(Bytes::copy_from_slice);
        let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) else { return };
        request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        let (guard, refused) = (self.guard.clone(), Arc::clone(&self.refused));
        let body = futures::stream::once(async move {
            if guard.is_open() {
                return Ok(bytes);
            }
            refused.store(true, Ordering::Release);
            Err(TooLate)
        });
        *request.body_mut() = Some(reqwest::Body::wrap_stream(body));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use serde_json::json;
    use wiremock::matchers::{body_json, header};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::catalog::Effect;
    use crate::clock::Clock;
    use crate::request::{CallOptions, Client, ClientSettings, Received, http_request};
    use crate::value::address::Reach;

    /// Sends to `server` through a guard that is open for the first `times` checks.
    async fn send(server: &MockServer, times: usize) -> Received {
        let asked = AtomicUsize::new(0);
        let guard = SendGuard::new(move || asked.fetch_add(1, Ordering::SeqCst) < times);
        let client = Client::new(ClientSettings::default(), Clock::system()).unwrap();
        let inputs = json!({ "url": format!("{}/x", server.uri()), "json": { "a": 1 } });
        let request =
            http_request("x", "POST", inputs.as_object().unwrap(), Effect::Create, Reach::Anywhere).unwrap();
        let options = CallOptions { guard: Some(guard), ..CallOptions::default() };
        client.send(&request, &Default::default(), &options).await
    }

    #[tokio::test]
    async fn allowed_values_are_sent_unchanged() {
        let server = MockServer::start().await;
        let whole = Mock::given(body_json(json!({ "a": 1 }))).and(header("content-length", "7"));
        whole.respond_with(ResponseTemplate::new(201)).mount(&server).await;
        assert!(matches!(send(&server, 2).await, Received::Answer { status: 201, .. }));
    }

    #[tokio::test]
    async fn requests_after_the_lease_never_arrive() {
        let server = MockServer::start().await;
        // Once before the request goes to the connection, and once when the connection takes the body.
        for times in [0, 1] {
            assert!(matches!(send(&server, times).await, Received::Late), "{times}");
        }
        assert!(server.received_requests().await.unwrap().is_empty());
    }
}
