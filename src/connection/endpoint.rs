//! An address that gives tokens: asks it, and says why there was none.

use std::time::Duration;

use reqwest::RequestBuilder;
use reqwest::header::ACCEPT;
use serde_json::Value;
use url::Url;

use super::Error;
use super::bounded_body::BoundedBody;
use super::transport::with_causes;
use crate::secret::{Redactor, shown_address};
use crate::value::read_json_within;

const TIMEOUT: Duration = Duration::from_secs(30);
/// Largest answer that is read, in bytes.
const LARGEST: usize = 1 << 20;
/// Most values of one.
const MOST_VALUES: usize = 10_000;
/// Most characters of an answer that a message quotes.
const QUOTED: usize = 200;

/// Where tokens are asked for.
#[derive(Debug)]
pub(super) struct Endpoint {
    url: Url,
    http: reqwest::Client,
}

/// Why there was no token. Holds no secret.
#[derive(Debug)]
pub(super) struct Failure {
    /// Status of the answer, if there was one.
    pub(super) status: Option<u16>,
    /// Why.
    pub(super) reason: String,
    /// Another try may help: no answer, 429 or 5xx.
    pub(super) passing: bool,
}

impl Failure {
    /// A success without a token, nor a reason: a page that stands in for the endpoint, perhaps.
    pub(super) fn no_answer(reason: &str) -> Self {
        Self { status: None, reason: reason.to_owned(), passing: true }
    }
}

impl Endpoint {
    /// At `url`, which stands below `base_url` unless it is absolute.
    pub(super) fn new(base_url: &Url, url: &str, http: reqwest::Client) -> Result<Self, Error> {
        Ok(Self { url: address(base_url, url)?, http })
    }

    /// The beginning of a question.
    pub(super) fn post(&self) -> RequestBuilder {
        self.http.post(self.url.clone())
    }

    /// The answer to `question`, if it is a success. `hidden` takes out what was sent.
    pub(super) async fn ask(&self, question: RequestBuilder, hidden: &Redactor) -> Result<Value, Failure> {
        let lost = |error: reqwest::Error| Failure {
            status: None,
            reason: hidden.text(&with_causes(&error.without_url())),
            passing: true,
        };
        let sent = question.header(ACCEPT, "application/json").timeout(TIMEOUT).send().await;
        let answer = sent.map_err(lost)?;
        let status = answer.status();
        let BoundedBody { bytes: body, whole } = BoundedBody::read(answer, LARGEST).await.map_err(lost)?;
        if !status.is_success() {
            return Err(Failure {
                status: Some(status.as_u16()),
                reason: format!("it answered {status}: {}", start_of(&body, hidden)),
                passing: status.is_server_error() || status.as_u16() == 429,
            });
        }
        if !whole {
            return Err(Failure::no_answer("its answer is larger than any that gives a token"));
        }
        read_json_within(&body, None, MOST_VALUES).map_err(|_| Failure::no_answer("its answer is not JSON"))
    }

    /// The error for the caller that needed the token.
    pub(super) fn no_token(&self, failure: Failure) -> Error {
        Error::NoToken { url: self.shown(), reason: failure.reason, passing: failure.passing }
    }

    /// The address without what may be secret.
    pub(super) fn shown(&self) -> String {
        let mut url = self.url.clone();
        url.set_query(None);
        shown_address(url.as_str())
    }
}

/// A success that gives no token.
pub(super) fn unusable(reason: String) -> Failure {
    Failure { status: None, reason, passing: false }
}

/// `url`, below `base_url` unless it is absolute.
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

/// Secrets are taken out before it is cut, so that no half of one is left.
fn start_of(body: &[u8], hidden: &Redactor) -> String {
    hidden.text(&String::from_utf8_lossy(body)).chars().take(QUOTED).collect()
}
