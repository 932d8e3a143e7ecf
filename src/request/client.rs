//! Sends a prepared request once and reads the answer.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::Value;

use super::body::multipart;
use super::download::Destination;
use super::files::{Allowed, FileFolders};
use super::read_error::ReadError;
use super::responder::Responder;
use super::send_guard::GuardedBody;
use super::{CallOptions, Form, OnBytes, OnWait, PreparedRequest, Received, RequestBody, download};
use crate::clock::Clock;
use crate::connection::{
    BoundedBody, TransportSettings, check_public, http_client, not_public, public_http_client,
};
use crate::value::address::Reach;
use crate::value::{JsonError, charset, decode, read_json};

/// Maximum size, in bytes, of an unsuccessful answer.
const MAX_ERROR_BODY: usize = 4 << 20;
/// Bytes kept of an unsuccessful answer that cannot be read as a whole.
const BEGINNING: usize = 16 << 10;

/// Settings of a client.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// Timeouts and pool.
    pub transport: TransportSettings,
    /// Timeout of a whole request, unless its action sets another. Uploads and downloads have none as long as data
    /// flows.
    pub timeout: Duration,
    /// Largest answer that is read, in bytes.
    pub largest_answer: usize,
    /// Largest file that is downloaded, in bytes.
    pub largest_file: u64,
    /// Folder for downloads without a file name of their own.
    pub downloads: PathBuf,
    /// Folders whose files requests may upload.
    pub files: FileFolders,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            transport: TransportSettings::default(),
            timeout: Duration::from_secs(60),
            largest_answer: 32 << 20,
            largest_file: 2 << 30,
            downloads: PathBuf::from("downloads"),
            files: FileFolders::default(),
        }
    }
}

/// Sends requests. Cheap to clone; clones share connections and the request count.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    /// Reaches public addresses only; for URLs that come from data.
    public: reqwest::Client,
    settings: Arc<ClientSettings>,
    clock: Clock,
    sent: Arc<AtomicU64>,
    on_bytes: OnBytes,
    pub(super) on_wait: OnWait,
    responder: Option<Responder>,
}

impl Client {
    /// A client with these settings.
    pub fn new(settings: ClientSettings, clock: Clock) -> Result<Self, crate::connection::Error> {
        let http = http_client(&settings.transport)?;
        Ok(Self {
            http,
            public: public_http_client(&settings.transport)?,
            settings: Arc::new(settings),
            clock,
            sent: Arc::default(),
            on_bytes: OnBytes::default(),
            on_wait: OnWait::default(),
            responder: None,
        })
    }

    /// The same client, reporting the progress of downloads to `on_bytes`.
    pub fn with_progress(self, on_bytes: OnBytes) -> Self {
        Self { on_bytes, ..self }
    }

    /// The same client, reporting long waits for a budget to `on_wait`.
    pub fn with_wait_notices(self, on_wait: OnWait) -> Self {
        Self { on_wait, ..self }
    }

    /// The same client on another clock. What it needs for TLS, such as the system's certificates, is not read again.
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// The same client, answered by `responder` in place of the network.
    pub fn answered_by(self, responder: Responder) -> Self {
        Self { responder: Some(responder), ..self }
    }

    /// The HTTP client, for other requests such as those for tokens.
    pub fn http(&self) -> reqwest::Client {
        self.http.clone()
    }

    pub(super) fn now(&self) -> chrono::DateTime<chrono::Utc> {
        self.clock.now()
    }

    /// Number of requests sent so far.
    pub fn requests(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Sends `request` once, with the headers `credential`.
    pub async fn send(
        &self,
        request: &PreparedRequest,
        credential: &HeaderMap,
        options: &CallOptions,
    ) -> Received {
        let mut built = match self.build(request, credential, options).await {
            Ok(built) => built,
            Err(reason) => return Received::Unsendable { reason },
        };
        if options.guard.as_ref().is_some_and(|gate| !gate.is_open()) {
            return Received::Late;
        }
        let passage = options.guard.clone().map(GuardedBody::new);
        if let Some(passage) = &passage {
            passage.guard(&mut built);
        }
        let http = match request.reach {
            Reach::Anywhere => &self.http,
            Reach::Public => match check_public(&request.url) {
                Ok(()) => &self.public,
                Err(refused) => return Received::Unsendable { reason: refused.to_string() },
            },
        };
        self.sent.fetch_add(1, Ordering::Relaxed);
        if let Some(responder) = &self.responder {
            return responder.respond(request);
        }
        match http.execute(built).await {
            Ok(response) => self.read(request, response, options.output.as_deref()).await,
            Err(_) if passage.is_some_and(|passage| passage.is_refused()) => Received::Late,
            Err(error) if not_public(&error).is_some() => {
                let reason = not_public(&error).map(ToString::to_string).unwrap_or_default();
                Received::Unsendable { reason }
            }
            Err(error) => {
                let sent = !(error.is_connect() || error.is_builder());
                Received::Lost { sent, reason: describe_error(error) }
            }
        }
    }

    async fn build(
        &self,
        request: &PreparedRequest,
        credential: &HeaderMap,
        options: &CallOptions,
    ) -> Result<reqwest::Request, String> {
        let mut builder =
            self.http.request(request.method.clone(), request.url.clone()).headers(request.headers.clone());
        builder = builder.headers(credential.clone());
        let streams = request.download.is_some() || matches!(request.body, RequestBody::Multipart(_));
        if let Some(timeout) = options.timeout.or((!streams).then_some(self.settings.timeout)) {
            builder = builder.timeout(timeout);
        }
        let typed = |builder: reqwest::RequestBuilder, media_type: &'static str| {
            if request.headers.contains_key(CONTENT_TYPE) {
                builder
            } else {
                builder.header(CONTENT_TYPE, HeaderValue::from_static(media_type))
            }
        };
        builder = match &request.body {
            RequestBody::Empty => builder,
            RequestBody::Json(bytes) => typed(builder, "application/json").body(bytes.clone()),
            RequestBody::Form(text) => typed(builder, "application/x-www-form-urlencoded").body(text.clone()),
            RequestBody::Text(text) => typed(builder, "text/plain; charset=utf-8").body(text.clone()),
            RequestBody::Multipart(parts) => {
                let Self { settings, .. } = self;
                let allowed = Allowed {
                    folders: &settings.files,
                    downloads: &settings.downloads,
                    choice: &options.files,
                };
                builder.multipart(multipart(parts, allowed).await?)
            }
        };
        builder.build().map_err(|error| format!("the request cannot be built: {}", describe_error(error)))
    }

    async fn read(
        &self,
        request: &PreparedRequest,
        response: reqwest::Response,
        output: Option<&Path>,
    ) -> Received {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = match &request.download {
            Some(expected) if response.status().is_success() && !is_page_instead(&headers, expected) => {
                self.save(request, response, output, expected).await.map(|file| (Form::File, file))
            }
            _ => self.read_text(response, &headers).await,
        };
        match body {
            Ok((form, body)) => Received::Answer { status, headers, form, body, at: self.clock.now() },
            Err(ReadError::BrokeOff(error)) => Received::Lost {
                sent: true,
                reason: format!("the answer was cut off: {}", describe_error(error)),
            },
            Err(ReadError::Unusable(reason)) => Received::Unusable { reason },
        }
    }

    async fn save(
        &self,
        request: &PreparedRequest,
        response: reqwest::Response,
        output: Option<&Path>,
        expected: &str,
    ) -> Result<Value, ReadError> {
        let given = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = given.unwrap_or(expected).to_owned();
        let destination = match output {
            Some(file) => Destination::File(file.to_owned()),
            None => Destination::by_content(&self.settings.downloads, &request.operation, &media_type),
        };
        download::save(response, destination, &media_type, self.settings.largest_file, &self.on_bytes).await
    }

    async fn read_text(
        &self,
        response: reqwest::Response,
        headers: &HeaderMap,
    ) -> Result<(Form, Value), ReadError> {
        let success = response.status().is_success();
        let largest = self.settings.largest_answer.min(if success { usize::MAX } else { MAX_ERROR_BODY });
        let BoundedBody { bytes, whole } =
            BoundedBody::read(response, largest).await.map_err(ReadError::BrokeOff)?;
        match content(headers, &bytes) {
            Ok(content) if whole => Ok(content),
            // An unsuccessful answer is only shown to people, so its beginning is enough.
            _ if !success => Ok((Form::Text, beginning(headers, &bytes))),
            Ok(_) => Err(ReadError::Unusable(format!("the answer is larger than {} MiB", largest >> 20))),
            Err(reason) => Err(ReadError::Unusable(format!("the answer cannot be kept: {reason}"))),
        }
    }
}

/// The form and value of a body: JSON, otherwise text, and null when it is empty.
fn content(headers: &HeaderMap, body: &[u8]) -> Result<(Form, Value), JsonError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok((Form::Nothing, Value::Null));
    }
    let charset = charset_of(headers);
    match read_json(body, charset) {
        Ok(value) => return Ok((Form::Json, value)),
        Err(error @ JsonError::TooMany { .. }) if !is_text(headers) => return Err(error),
        Err(_) => {}
    }
    let text = decode(body, charset).into_owned();
    let form = if is_page(headers, &text) { Form::Page } else { Form::Text };
    Ok((form, text.into()))
}

fn charset_of(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE).and_then(|kind| charset(kind.to_str().ok()?))
}

/// The beginning of a body, as text.
fn beginning(headers: &HeaderMap, body: &[u8]) -> Value {
    decode(&body[..body.len().min(BEGINNING)], charset_of(headers)).into()
}

/// Whether the headers declare plain text, in which brackets and commas are not JSON.
fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.starts_with("text/") && !kind.contains("json")
}

/// Whether the body is a web page. Many frameworks declare any text as HTML, so the text must look like HTML as well.
fn is_page(headers: &HeaderMap, text: &str) -> bool {
    let start: String = text.trim_start().chars().take(15).collect();
    let start = start.to_ascii_lowercase();
    (is_html(headers) && start.starts_with('<'))
        || start.starts_with("<!doctype html")
        || start.starts_with("<html")
}

fn is_html(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|kind| kind.contains("html"))
}

/// Whether a web page came instead of a file of type `expected`, for example a login page.
fn is_page_instead(headers: &HeaderMap, expected: &str) -> bool {
    is_html(headers) && !expected.contains("html")
}

/// An error and its causes as text, without the URL, whose query may hold a secret.
pub(super) fn describe_error(error: reqwest::Error) -> String {
    let (connect, timeout) = (error.is_connect(), error.is_timeout());
    let host = error.url().and_then(|url| url.host_str()).unwrap_or("the server").to_owned();
    let causes = crate::diagnostic::with_causes(&error.without_url());
    match (connect, timeout) {
        (true, _) => format!("cannot connect to {host}: {causes}"),
        (false, true) => format!("{host} did not answer in time"),
        (false, false) => format!("no answer from {host}: {causes}"),
    }
}
