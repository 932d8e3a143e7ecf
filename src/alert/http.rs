//! Sends messages by HTTP.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::connection::BoundedBody;
use crate::diagnostic::with_causes;
use crate::printable;
use crate::secret::Secret;

/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Bytes that are read of a refusal.
const MAX_REFUSAL: usize = 2_000;
/// Most characters that are shown of it.
const MAX_SHOWN: usize = 200;

/// Posts `body` with the key `id`, by which the receiver can know a repeated message.
pub(super) async fn post(
    http: &reqwest::Client,
    url: &Secret,
    header: Option<&(String, Secret)>,
    id: &str,
    body: &Value,
) -> Result<(), String> {
    let mut headers = HeaderMap::new();
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert("idempotency-key", id);
    }
    if let Some((name, value)) = header {
        let name: HeaderName = name.parse().map_err(|_| format!("`{name}` is not the name of a header"))?;
        let mut value = HeaderValue::from_str(value.expose())
            .map_err(|_| format!("the value of the header `{name}` cannot be sent"))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    let request = http.post(url.expose()).headers(headers).timeout(TIMEOUT).json(body);
    let response = request.send().await.map_err(unanswered)?;
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let said = match BoundedBody::read(response, MAX_REFUSAL).await {
        Ok(body) => String::from_utf8_lossy(&body.bytes).trim().to_owned(),
        Err(_) => String::new(),
    };
    let said = if said.is_empty() { said } else { format!(": {}", printable::line(&said, MAX_SHOWN)) };
    Err(format!("it answered {status}{said}"))
}

/// An error without the address, which is secret.
fn unanswered(error: reqwest::Error) -> String {
    let (connect, timeout) = (error.is_connect(), error.is_timeout());
    let host = error.url().and_then(|url| url.host_str()).unwrap_or("the server").to_owned();
    let causes = with_causes(&error.without_url());
    match (connect, timeout) {
        (true, _) => format!("cannot connect to {host}: {causes}"),
        (false, true) => format!("{host} did not answer in time"),
        (false, false) => format!("no answer from {host}: {causes}"),
    }
}
