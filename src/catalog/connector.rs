//! A described API: where it is, how to authenticate, what its answers mean, which events it sends.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event_type::EventType;
use super::login::Login;
use super::public_key;
use super::version::Versions;
use crate::value::is_header_name;

/// An API, as it stands in `schemas/connectors/NAME/connector.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Connector {
    /// Name used in `hob.yaml` and recipes; equal to the folder's name.
    pub connector: String,
    /// Name for people.
    pub title: String,
    /// A sentence or two about it.
    pub about: String,
    /// A template that its user must adapt: not the app's own API.
    #[serde(default)]
    pub template: bool,
    /// Where the API lives, unless the connection says otherwise.
    #[serde(default)]
    pub base_url: Option<String>,
    /// Ways to authenticate that a connection may choose from, the usual one first.
    #[serde(default)]
    pub auth: Vec<AuthScheme>,
    /// Headers of every request.
    #[serde(default)]
    pub headers: IndexMap<String, String>,
    /// Header that carries an operation's version.
    #[serde(default)]
    pub version_header: Option<String>,
    /// Settings of a connection beside its credential (`location`), and the inputs they fill when a
    /// recipe does not give them.
    #[serde(default)]
    pub settings: IndexMap<String, Setting>,
    /// Inputs filled with a constant when a recipe does not give them.
    #[serde(default)]
    pub constants: IndexMap<String, serde_json::Value>,
    /// What its error answers look like.
    #[serde(default)]
    pub errors: ErrorAnswers,
    /// Seconds by which its lists may lag behind what was written: a create whose answer was lost counts as not
    /// done only when it is not there after that.
    #[serde(default)]
    pub list_lag_seconds: u32,
    /// How many requests it allows.
    #[serde(default)]
    pub limits: Limits,
    /// Webhooks it sends, if any.
    #[serde(default)]
    pub webhooks: Option<Webhooks>,
    /// Event types, read from `events.yaml`.
    #[serde(skip)]
    pub events: IndexMap<String, EventType>,
    /// Other versions of the API, read from `versions.yaml`.
    #[serde(skip)]
    pub versions: Versions,
}

impl Connector {
    /// What is wrong with asking for `version`, and what there is; `None` where nothing is.
    pub fn complain_of(&self, version: &str) -> Option<(String, String)> {
        let names: Vec<&str> = self.versions.names().collect();
        if names.contains(&version) {
            return None;
        }
        let help = match names.as_slice() {
            [] => "it has only one; leave `version` out".to_owned(),
            names => format!("it has {}", names.join(", ")),
        };
        Some((format!("`{}` has no version `{version}`", self.connector), help))
    }
}

/// A way to authenticate. What the connection gives under `auth` decides which is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum AuthScheme {
    /// `auth: { token }` → `Authorization: Bearer …`
    Bearer,
    /// `auth: { header: { name, value } }`
    Header,
    /// `auth: { basic: { username, password } }`
    Basic,
    /// `auth: { oauth: { client_id, client_secret, … } }`
    Oauth {
        /// Token endpoint, absolute or below the base URL.
        token_url: String,
        /// Consent page of the code grant; absent: client credentials only.
        #[serde(default)]
        authorize_url: Option<String>,
        /// Further fields of every token request.
        #[serde(default)]
        extra: IndexMap<String, String>,
    },
    /// `auth: { login: { username, password } }`, for which the API gives a token.
    Login(Login),
}

impl AuthScheme {
    /// What a connection's `auth` calls it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Bearer => "token",
            Self::Header => "header",
            Self::Basic => "basic",
            Self::Oauth { .. } => "oauth",
            Self::Login(_) => "login",
        }
    }
}

/// A setting of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// What it is, for people.
    pub title: String,
    /// Inputs that get its value when a recipe does not give them.
    #[serde(default)]
    pub fills: Vec<String>,
}

/// What an API's error answers look like.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorAnswers {
    /// JSONPaths of the message, the first that finds something wins; a list is joined.
    #[serde(default)]
    pub message: Vec<String>,
    /// JSONPath of an id to quote to the vendor's support.
    #[serde(default)]
    pub trace: Option<String>,
    /// Statuses other than 5xx that a create may get although it happened, whatever their message. Where only
    /// some messages mean that, name them under `advice`.
    #[serde(default)]
    pub in_doubt: Vec<u16>,
    /// JSONPaths of the id of the record there is, in the refusal of a create that would be its double. After a
    /// lost answer it tells what the earlier attempt made.
    #[serde(default)]
    pub existing: Vec<String>,
    /// What to do about an error answer, by status or by words in its message. Of those that fit, one with
    /// words wins.
    #[serde(default)]
    pub advice: Vec<Advice>,
}

/// A remedy for an error answer, and what hob makes of such an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Advice {
    /// HTTP status.
    #[serde(default)]
    pub status: Option<u16>,
    /// Words that the message contains, compared without case.
    #[serde(default)]
    pub contains: Option<String>,
    /// What the answer means, where that is not what its status says.
    #[serde(default)]
    pub means: Option<ErrorMeaning>,
    /// What to do.
    pub help: String,
}

/// What an error answer means, and so what hob does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorMeaning {
    /// The request is refused, and would be refused again: the step fails.
    Refused,
    /// The credential is refused: the connection is held until it works. What 401 means.
    Unauthorized,
    /// The server could not answer: reads and idempotent effects are sent again, creates may have happened.
    /// What 408 and 5xx mean.
    Unavailable,
    /// Nothing happened, and another try may succeed: everything is sent again. What 425 means.
    NotDone,
    /// Too many requests: everything waits and is sent again. What 429 means.
    RateLimited,
    /// Refused, but a create may have happened all the same; hob finds out or asks.
    InDoubt,
    /// There is no such record, or none any more: the step fails, unless it removes something and the answer to
    /// an earlier attempt was lost. What 404 and 410 mean.
    Gone,
}

/// An API's request limits and the headers that tell them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Requests per interval, as `100/10s`.
    #[serde(default)]
    pub burst: Option<String>,
    /// Requests a day.
    #[serde(default)]
    pub daily: Option<u64>,
    /// What the API counts requests by, by the way to authenticate: `token`, `header`, `basic`, `oauth` or
    /// `login`. Connections that agree in it share a counter. Absent: each credential has counters of its own.
    #[serde(default)]
    pub counters: IndexMap<String, LimitCounters>,
    /// Response header names.
    #[serde(default)]
    pub headers: LimitHeaders,
}

/// What an API counts requests by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitCounters {
    /// Each combination of these has a `burst` of its own.
    pub burst: Vec<CountedBy>,
    /// Each combination of these has a `daily` allowance of its own. It holds for no less than `burst` does.
    pub daily: Vec<CountedBy>,
}

/// What makes a counter: `credential` (a token, a key or a user), `app` (an OAuth client), or a setting of
/// connections, such as `location`. Of several settings, the first that a connection has counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "String", into = "String")]
#[schemars(with = "String")]
pub enum CountedBy {
    /// The credential.
    Credential,
    /// The OAuth client.
    App,
    /// A setting of connections.
    Setting(String),
}

impl From<String> for CountedBy {
    fn from(text: String) -> Self {
        match text.as_str() {
            "credential" => Self::Credential,
            "app" => Self::App,
            _ => Self::Setting(text),
        }
    }
}

impl From<CountedBy> for String {
    fn from(by: CountedBy) -> Self {
        match by {
            CountedBy::Credential => "credential".to_owned(),
            CountedBy::App => "app".to_owned(),
            CountedBy::Setting(name) => name,
        }
    }
}

/// Names of the response headers that tell the limits. Absent: the API does not send it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitHeaders {
    /// Requests per interval.
    #[serde(default)]
    pub max: Option<String>,
    /// Requests left in this interval.
    #[serde(default)]
    pub remaining: Option<String>,
    /// Length of the interval in milliseconds.
    #[serde(default)]
    pub interval_ms: Option<String>,
    /// Requests a day.
    #[serde(default)]
    pub daily: Option<String>,
    /// Requests left today.
    #[serde(default)]
    pub daily_remaining: Option<String>,
    /// Milliseconds until the day's budget is new.
    #[serde(default)]
    pub daily_reset_ms: Option<String>,
}

/// How an API's webhooks are received at `POST /webhooks/NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    /// JSONPath of the event type in the body.
    pub r#type: String,
    /// JSONPath of the delivery id, by which repeats are recognised.
    #[serde(default)]
    pub id: Option<String>,
    /// Setting of a connection that an event is routed by → candidates for its JSONPath in the body.
    #[serde(default)]
    pub route: IndexMap<String, Vec<String>>,
    /// Signatures it sends: one valid one is enough.
    #[serde(default)]
    pub signatures: Vec<Signature>,
}

/// A signature over the raw body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// Header that carries it, base64.
    pub header: String,
    /// Algorithm.
    pub algorithm: SignatureAlgorithm,
    /// Public key, SPKI, base64 (one line) or PEM.
    pub key: String,
    /// The sender has put another in its place. It is looked at only where hob.yaml asks for it
    /// (`legacy_signatures`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub legacy: bool,
}

impl Signature {
    /// The key's bytes; the error is what is wrong with it, as the rest of a sentence.
    pub fn public_key(&self) -> Result<Vec<u8>, String> {
        match self.algorithm {
            SignatureAlgorithm::Ed25519 => public_key::ed25519(&self.key),
            SignatureAlgorithm::RsaSha256 => public_key::rsa(&self.key),
        }
    }

    /// Why nothing can be proven by it, if so.
    pub fn complaint(&self) -> Option<String> {
        if !is_header_name(&self.header) {
            return Some(format!("`{}` is not the name of a header", self.header));
        }
        self.public_key().err()
    }
}

/// A signature algorithm with a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignatureAlgorithm {
    /// Ed25519 over the raw body.
    Ed25519,
    /// RSA PKCS#1 v1.5 with SHA-256 over the raw body.
    RsaSha256,
}
