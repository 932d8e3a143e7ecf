//! Token endpoints: requests a token, or says why there is none.

use std::time::Duration;

use reqwest::RequestBuilder;
use reqwest::header::ACCEPT;
use serde_json::Value;
use url::Url;

use super::Error;
use super::bounded_body::BoundedBody;
use crate::diagnostic::with_causes;
use crate::secret::{Redactor, shown_address};
use crate::value::read_json_within;

const TIMEOUT: Duration = Duration::from_secs(30);
/// Maximum size of an answer, in bytes.
const MAX_ANSWER: usize = 1 << 20;
/// Maximum number of JSON values in an answer.
const MAX_VALUES: usize = 10_000;
/// Most characters of an answer quoted in a message.
const QUOTED: usize = 200;

/// A token endpoint.
#[derive(Debug)]
pub(super) struct Endpoint {
    url: Url,
    http: reqwest::Client,
}

/// Why there is no token. Contains no secret.
#[derive(Debug)]
pub(super) struct Failure {
    /// Status of the answer, if there was one.
    pub(super) status: Option<u16>,
    /// Why.
    pub(super) reason: String,
    /// Whether a retry may help: no answer, 429 or 5xx.
    pub(super) transient: bool,
}

impl Failure {
    /// A success without a token or an error, perhaps a page of a proxy.
    pub(super) fn no_answer(reason: &str) -> Self {
        Self { status: None, reason: reason.to_owned(), transient: true }
    }
}

impl Endpoint {
    /// The endpoint at `url`, relative to `base_url` unless absolute.
    pub(super) fn new(base_url: &Url, url: &str, http: reqwest::Client) -> Result<Self, Error> {
        Ok(Self { url: address(base_url, url)?, http })
    }

    /// Starts building a request.
    pub(super) fn post(&self) -> RequestBuilder {
        self.http.post(self.url.clone())
    }

    /// The answer to `question` if it is successful. `hidden` redacts what was sent.
    pub(super) async fn ask(&self, question: RequestBuilder, hidden: &Redactor) -> Result<Value, Failure> {
        let lost = |error: reqwest::Error| Failure {
            status: None,
            reason: hidden.text(&with_causes(&error.without_url())),
            transient: true,
        };
        let sent = question.header(ACCEPT, "application/json").timeout(TIMEOUT).send().await;
        let answer = sent.map_err(lost)?;
        let status = answer.status();
        let BoundedBody { bytes: body, whole } = BoundedBody::read(answer, MAX_ANSWER).await.map_err(lost)?;
        if !status.is_success() {
            return Err(Failure {
                status: Some(status.as_u16()),
                reason: format!("it answered {status}: {}", start_of(&body, hidden)),
                transient: status.is_server_error() || status.as_u16() == 429,
            });
        }
        if !whole {
            return Err(Failure::no_answer("its answer is larger than any that gives a token"));
        }
        read_json_within(&body, None, MAX_VALUES).map_err(|_| Failure::no_answer("its answer is not JSON"))
    }

    /// The error for the caller that needed the token.
    pub(super) fn no_token(&self, failure: Failure) -> Error {
        Error::NoToken { url: self.shown(), reason: failure.reason, transient: failure.transient }
    }

    /// The address without possible secrets.
    pub(super) fn shown(&self) -> String {
        let mut url = self.url.clone();
        url.set_query(None);
        shown_address(url.as_str())
    }
}

/// A success without a token.
pub(super) fn unusable(reason: String) -> Failure {
    Failure { status: None, reason, transient: false }
}

/// `url`, relative to `base_url` unless absolute.
pub(super) fn address(base_url: &Url, url: &str) -> Result<Url, Error> {
    let address = if url.contains("://") {
        url.to_owned()
    } else {
        format!("{}/{}", base_url.as_str().trim_end_matches('/'), url.trim_start_matches('/'))
    };
    Url::parse(&address).map_err(|error| {
        let address = shown_address(&address);
        Error::BadAddress { address, reason: error.to_string() }
    })
}

/// Seconds as a number or as text.
pub(super) fn seconds(value: &Value) -> Option<f64> {
    let seconds = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
    seconds.filter(|seconds| seconds.is_finite() && *seconds >= 0.0)
}

/// Redacted before it is cut, so that no part of a secret remains.
fn start_of(body: &[u8], hidden: &Redactor) -> String {
    hidden.text(&String::from_utf8_lossy(body)).chars().take(QUOTED).collect()
}
