//! An API as data: its address, authentication, error answers, limits and webhook events.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::event_type::EventType;
use super::login::Login;
use super::operation::{Operation, Place};
use super::public_key;
use super::record_kind::RecordKind;
use super::version::Versions;
use crate::value::is_header_name;

/// An API, as described in `schemas/connectors/NAME/connector.yaml`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Connector {
    /// Name used in `hob.yaml` and recipes; equal to the folder's name.
    pub connector: String,
    /// Name for people.
    pub title: String,
    /// One or two sentences about it.
    pub about: String,
    /// A template that users must adapt; not the app's own API.
    #[serde(default)]
    pub template: bool,
    /// Base URL, unless the connection has its own.
    pub base_url: Option<String>,
    /// Supported kinds of authentication, the usual one first.
    #[serde(default)]
    pub auth: Vec<AuthScheme>,
    /// Headers of every request.
    #[serde(default)]
    pub headers: IndexMap<String, String>,
    /// Header with an operation's version.
    pub version_header: Option<String>,
    /// Settings of a connection besides its credential (such as `location`), and the inputs that they provide when a
    /// recipe does not.
    #[serde(default)]
    pub settings: IndexMap<String, Setting>,
    /// Constant values of inputs that a recipe does not give.
    #[serde(default)]
    pub constants: IndexMap<String, serde_json::Value>,
    /// How to read its error answers.
    #[serde(default)]
    pub errors: ErrorAnswers,
    /// Seconds by which its lists may lag behind writes: a create with a lost answer counts as not done only when its
    /// record is not in the list after that time.
    #[serde(default)]
    pub list_lag_seconds: u32,
    /// Its rate limits.
    #[serde(default)]
    pub limits: Limits,
    /// Webhooks it sends, if any.
    pub webhooks: Option<Webhooks>,
    /// Kinds of records: the operations that belong together.
    #[serde(default)]
    pub records: IndexMap<String, RecordKind>,
    /// Names of operations in other tools → the operation, for suggestions. The names that consist of the words of the
    /// operation's id or title are known without.
    #[serde(default)]
    pub known_as: IndexMap<String, String>,
    /// Event types, read from `events.yaml`.
    #[serde(skip)]
    pub events: IndexMap<String, EventType>,
    /// Other versions of the API, read from `versions.yaml`.
    #[serde(skip)]
    pub versions: Versions,
}

impl Connector {
    /// Whether a connection gives the input `name` where a recipe does not.
    pub fn fills(&self, name: &str) -> bool {
        let fills = self.settings.values().any(|setting| setting.fills.iter().any(|input| input == name));
        fills || self.constants.contains_key(name)
    }

    /// The input for a record's id: the only path parameter that no setting of a connection fills.
    pub fn id_input<'o>(&self, operation: &'o Operation) -> Option<&'o str> {
        let in_path = operation.parameters.iter().filter(|(_, input)| input.place == Place::Path);
        let mut open = in_path.map(|(name, _)| name.as_str()).filter(|name| !self.fills(name));
        open.next().filter(|_| open.next().is_none())
    }

    /// The problem with asking for `version`, and the versions there are; `None` if there is no problem.
    pub fn version_problem(&self, version: &str) -> Option<(String, String)> {
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

/// A kind of authentication. The connection's `auth` decides which one is used.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
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
        /// Token endpoint, absolute or relative to the base URL.
        token_url: String,
        /// Consent page of the authorization code grant; absent for client credentials only.
        authorize_url: Option<String>,
        /// Additional fields of every token request.
        #[serde(default)]
        extra: IndexMap<String, String>,
    },
    /// `auth: { login: { username, password } }`, exchanged for a token.
    Login(Login),
}

impl AuthScheme {
    /// Its key under a connection's `auth`.
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
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// Its title, for people.
    pub title: String,
    /// Inputs that get its value when a recipe does not give them.
    #[serde(default)]
    pub fills: Vec<String>,
}

/// How to read an API's error answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ErrorAnswers {
    /// JSONPaths of the message; the first one with a value is used; a list is joined.
    pub message: Vec<String>,
    /// JSONPath of an id to quote to the vendor's support.
    pub trace: Option<String>,
    /// Statuses other than 5xx after which a create may have happened, whatever the message. If only some messages
    /// mean that, list them under `advice`.
    pub in_doubt: Vec<u16>,
    /// JSONPaths of the id of the existing record, in the rejection of a duplicate create. After a lost answer it
    /// identifies the record that the earlier attempt created.
    pub existing: Vec<String>,
    /// Remedies for error answers, by status or by words in the message. An entry with words takes precedence.
    pub advice: Vec<Advice>,
}

/// A remedy for an error answer, and its meaning.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Advice {
    /// HTTP status.
    pub status: Option<u16>,
    /// Words in the message, ignoring case.
    pub contains: Option<String>,
    /// The meaning of the answer, if its status does not express it.
    pub means: Option<ErrorMeaning>,
    /// The remedy.
    pub help: String,
}

/// The meaning of an error answer, which determines what hob does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorMeaning {
    /// The request was rejected, and a retry would be, too: the step fails.
    Refused,
    /// The credential was refused: the connection is held until it works. The meaning of 401.
    Unauthorized,
    /// The server could not answer: reads and idempotent effects are sent again, creates may have happened. The
    /// meaning of 408 and 5xx.
    Unavailable,
    /// Nothing happened and a retry may succeed: everything is sent again. The meaning of 425.
    NotDone,
    /// Rate limited: everything waits and is sent again. The meaning of 429.
    RateLimited,
    /// Rejected, but a create may have happened: hob probes or asks.
    InDoubt,
    /// The record does not exist (any more): the step fails, unless it removes something and the answer to an earlier
    /// attempt was lost. The meaning of 404 and 410.
    Gone,
}

/// An API's rate limits, and the headers that state them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Requests per interval, as `100/10s`.
    pub burst: Option<String>,
    /// Requests per day.
    pub daily: Option<u64>,
    /// What the API counts requests by, for each kind of authentication: `token`, `header`, `basic`, `oauth` or
    /// `login`. Connections with the same values share a counter. Absent: each credential has its own counters.
    pub counters: IndexMap<String, LimitCounters>,
    /// Response header names.
    pub headers: LimitHeaders,
}

/// What an API counts requests by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitCounters {
    /// Each combination of these has its own `burst` counter.
    pub burst: Vec<CountedBy>,
    /// Each combination of these has its own `daily` counter. It includes at least the connections of one `burst`
    /// counter.
    pub daily: Vec<CountedBy>,
}

/// What identifies a counter: `credential` (a token, a key or a user), `app` (an OAuth client), or a setting of
/// connections, such as `location`. Of several settings, the first one that a connection has is used.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(from = "String")]
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

/// Names of the response headers that state the limits; absent if the API does not send one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitHeaders {
    /// Requests per interval.
    pub max: Option<String>,
    /// Requests remaining in this interval.
    pub remaining: Option<String>,
    /// Length of the interval in milliseconds.
    pub interval_ms: Option<String>,
    /// Requests per day.
    pub daily: Option<String>,
    /// Requests remaining today.
    pub daily_remaining: Option<String>,
    /// Milliseconds until the daily limit resets.
    pub daily_reset_ms: Option<String>,
}

/// How an API's webhooks are received at `POST /webhooks/NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    /// JSONPath of the event type in the body.
    pub r#type: String,
    /// JSONPath of the delivery id, by which repeats are recognised.
    pub id: Option<String>,
    /// Settings of connections by which events are routed, with the candidate JSONPaths of their values in the body.
    #[serde(default)]
    pub route: IndexMap<String, Vec<String>>,
    /// Its signatures; one valid signature is enough.
    #[serde(default)]
    pub signatures: Vec<Signature>,
}

/// A signature over the raw body.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// Header with the signature in base64.
    pub header: String,
    /// Algorithm.
    pub algorithm: SignatureAlgorithm,
    /// Public key, SPKI, base64 (one line) or PEM.
    pub key: String,
    /// Replaced by a newer signature. Accepted only if hob.yaml has `legacy_signatures`.
    #[serde(default)]
    pub legacy: bool,
}

impl Signature {
    /// The key's bytes; the error completes a sentence about the key.
    pub fn public_key(&self) -> Result<Vec<u8>, String> {
        match self.algorithm {
            SignatureAlgorithm::Ed25519 => public_key::ed25519(&self.key),
            SignatureAlgorithm::RsaSha256 => public_key::rsa(&self.key),
        }
    }

    /// Why it is unusable, if so.
    pub fn complaint(&self) -> Option<String> {
        if !is_header_name(&self.header) {
            return Some(format!("`{}` is not the name of a header", self.header));
        }
        self.public_key().err()
    }
}

/// A signature algorithm with a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignatureAlgorithm {
    /// Ed25519 over the raw body.
    Ed25519,
    /// RSA PKCS#1 v1.5 with SHA-256 over the raw body.
    RsaSha256,
}
