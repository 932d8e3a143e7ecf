//! What may stand in `hob.yaml`. Its schema, its errors and its reading all come from these types.

use std::fmt;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::access_syntax::Dashboard;
use super::alert_syntax::Alerts;
use super::header::Header;
use super::telemetry_syntax::Telemetry;
use crate::catalog::Signature;
use crate::source::{Data, Node, Spanned, read};

/// A workspace.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "workspace")]
pub struct File {
    /// Accounts that recipes work on, by the names that you give them.
    #[schemars(with = "Option<IndexMap<String, Connection>>")]
    #[schemars(example = serde_json::json!({ "studio": { "connector": "highlevel", "auth": { "token": "${HIGHLEVEL_TOKEN}" } } }))]
    pub connections: Option<IndexMap<Spanned<String>, Node>>,
    /// Environment variables that recipes may read, as `env.NAME`. A name alone is an ordinary value; as
    /// `{ name: NAME, secret: true }` its value is masked wherever hob shows something.
    #[schemars(example = serde_json::json!(["APP_URL", { "name": "ALERT_KEY", "secret": true }]))]
    pub env: Option<Vec<EnvVariable>>,
    /// Folders whose files recipes may send, where an input takes the path of a file; within the workspace, or with
    /// an absolute path. Files that a run has downloaded itself may always be sent. Default: none.
    #[schemars(example = serde_json::json!(["attachments"]))]
    pub files: Option<Vec<Spanned<String>>>,
    /// Where the history is kept: `sqlite:` and a path within the workspace or a whole one, or the address of a
    /// PostgreSQL database, which any number of `hob run` processes can share. Its tables are in a schema
    /// `hob`, or the one that `?schema=` names. Default: `sqlite:state/hob.db`.
    #[schemars(example = &"sqlite:state/hob.db", example = &"postgres://hob:${DB_PASSWORD}@db.example/hob")]
    pub store: Option<Spanned<String>>,
    /// How long the history is kept.
    pub history: Option<History>,
    /// When runs that start each other by what they write are a loop: the next one is parked.
    pub loops: Option<Loops>,
    /// How webhooks are received, and who may use the dashboard.
    pub server: Option<Server>,
    /// Whom hob tells when something is wrong.
    pub alerts: Option<Alerts>,
    /// Where hob reports what it does.
    pub telemetry: Option<Telemetry>,
}

/// A variable that recipes may read: its name, or a mapping that says more of it.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged, title = "variable", example = &"APP_URL")]
pub enum EnvVariable {
    /// The name.
    Name(Spanned<String>),
    /// The name, and whether the value is a secret.
    Marked(MarkedVariable),
}

impl<'de> Deserialize<'de> for EnvVariable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let node = Node::deserialize(deserializer)?;
        let variable = match node.as_map() {
            Some(_) => read(&node).map(Self::Marked),
            None => read(&node).map(Self::Name),
        };
        variable.map_err(serde::de::Error::custom)
    }
}

/// A variable that recipes may read.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "variable")]
pub struct MarkedVariable {
    /// Its name.
    #[schemars(example = &"ALERT_KEY")]
    pub name: Spanned<String>,
    /// Its value is masked wherever hob shows something. Default: `false`.
    #[serde(default)]
    pub secret: bool,
}

/// How long the history is kept. Unfinished runs are always kept.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "history")]
pub struct History {
    /// Runs that ended longer ago are deleted, with their events; `forever` keeps all. Default: `90d`.
    #[schemars(example = &"90d")]
    pub keep: Option<Spanned<String>>,
    /// How many finished runs are kept at most; the oldest are deleted first. Default: no limit.
    #[schemars(range(min = 1), example = 1_000_000)]
    pub runs: Option<u64>,
    /// How long hob remembers that something has happened, so that it is not done again when it is reported
    /// again; `forever` has no end. Default: `400d`.
    #[schemars(example = &"400d")]
    pub dedup: Option<Spanned<String>>,
}

/// When runs that start each other by what they write are a loop. Runs within a minute count, in a chain of which each
/// wrote what started the next one, and which came back to a recipe. The next run is parked before it begins.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "loop limit")]
pub struct Loops {
    /// So many runs about one record are a loop, whichever their recipes. Default: 5.
    #[schemars(range(min = 1, max = 1000), example = 5)]
    pub runs_per_record: Option<usize>,
    /// So many runs of one recipe are a loop. Default: 4.
    #[schemars(range(min = 1, max = 1000), example = 4)]
    pub runs_per_recipe: Option<usize>,
}

/// An account on a connector. Its connector's own settings (`location`) stand beside these fields.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(title = "connection", extend("additionalProperties" = { "type": "string" }))]
pub struct Connection {
    /// The described API: `highlevel`, `fitr`, or a folder of your own under `connectors/`.
    #[schemars(example = &"highlevel")]
    pub connector: Spanned<String>,
    /// How hob proves who it is.
    pub auth: Option<Spanned<Auth>>,
    /// Where the API is, if not where its connector says.
    #[schemars(example = &"https://services.leadconnectorhq.com")]
    pub base_url: Option<Spanned<String>>,
    /// Version of the API to use, if the connector has several. Default: the one it describes.
    #[schemars(example = &"v3")]
    pub version: Option<Spanned<String>>,
    /// How many requests it may use, until the API's own headers say otherwise.
    pub budget: Option<Budget>,
}

impl Connection {
    /// Fields that are not settings of a connector.
    pub(super) const FIELDS: [&str; 5] = ["connector", "auth", "base_url", "version", "budget"];
}

/// How a connection proves who it is: one of these.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(title = "credential")]
pub enum Auth {
    /// A bearer token.
    #[schemars(title = "token")]
    Token(String),
    /// A header with a secret value.
    #[schemars(title = "header")]
    Header(Header),
    /// User name and password.
    #[schemars(title = "basic credential")]
    Basic(Basic),
    /// An OAuth 2 app.
    #[schemars(title = "oauth credential")]
    Oauth(Oauth),
    /// User name and password, for which the API gives a token.
    #[schemars(title = "login")]
    Login(Login),
}

/// Without secrets.
impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Auth {
    /// The secret fields, by name.
    pub(super) fn secrets(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::Token(token) => vec![("token", token)],
            Self::Header(header) => vec![("value", &header.value)],
            Self::Basic(basic) => vec![("username", &basic.username), ("password", &basic.password)],
            Self::Oauth(oauth) => {
                vec![("client_id", &oauth.client_id), ("client_secret", &oauth.client_secret)]
            }
            Self::Login(login) => vec![("username", &login.username), ("password", &login.password)],
        }
    }

    /// Its name in the file.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Token(_) => "token",
            Self::Header(_) => "header",
            Self::Basic(_) => "basic",
            Self::Oauth(_) => "oauth",
            Self::Login(_) => "login",
        }
    }
}

/// User name and password.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "basic credential")]
pub struct Basic {
    /// The user.
    pub username: String,
    /// The password.
    pub password: String,
}

/// An OAuth 2 app: with client credentials, or, where the connector has a consent page, with the tokens
/// that `hob connect` keeps.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "oauth credential")]
pub struct Oauth {
    /// The app's id.
    pub client_id: String,
    /// The app's secret.
    pub client_secret: String,
    /// Scopes to ask for.
    pub scopes: Option<Vec<String>>,
    /// Where the consent page returns to, as registered in the app.
    #[schemars(example = &"http://127.0.0.1:8788/callback")]
    pub redirect: Option<String>,
}

/// User name and password, for which the API gives a token.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "login")]
pub struct Login {
    /// The user.
    #[schemars(example = &"coach@example.com")]
    pub username: String,
    /// The password.
    #[schemars(example = &"${FITR_PASSWORD}")]
    pub password: String,
}

/// How many requests a connection may use.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "budget")]
pub struct Budget {
    /// Requests per time.
    #[schemars(example = &"100/10s")]
    pub burst: Option<Spanned<String>>,
    /// Requests a day.
    #[schemars(range(min = 1), example = 200_000)]
    pub daily: Option<u64>,
}

/// How webhooks are received, and who may use the dashboard.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "server")]
pub struct Server {
    /// Address and port to listen at, for webhooks and the dashboard, unless `--listen` names another. Default:
    /// `127.0.0.1:8787`, if nothing else has that port.
    #[schemars(example = &"127.0.0.1:8787")]
    pub listen: Option<Spanned<String>>,
    /// The address at which people reach this server, usually that of a proxy with a certificate; links in
    /// alerts lead there.
    #[schemars(example = &"https://hob.example.com")]
    pub url: Option<Spanned<String>>,
    /// Further names of this machine under which the dashboard may be asked for. Those of `url` and `listen`, and on the machine
    /// itself `localhost`, are known.
    #[schemars(example = serde_json::json!(["hob.internal"]))]
    pub hosts: Option<Vec<Spanned<String>>>,
    /// Addresses of proxies that are believed about the addresses of their clients, which they send as `X-Forwarded-For`: for
    /// the audit log and the limit of logins. Default: none.
    #[schemars(example = serde_json::json!(["127.0.0.1", "172.16.0.0/12"]))]
    pub proxies: Option<Vec<Spanned<String>>>,
    /// Who may use the dashboard.
    pub dashboard: Option<Dashboard>,
    /// Whom `/metrics` is open to: `true` is everyone who can reach `listen`, `false` nobody, and an address is
    /// one of its own. Default: nobody.
    pub metrics: Option<MetricsText>,
    /// How the events of a connector are verified, if not as the connector says.
    #[schemars(example = serde_json::json!({ "highlevel": { "unverified": true } }))]
    pub webhooks: Option<IndexMap<Spanned<String>, Webhooks>>,
}

/// Whom `/metrics` is open to.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged, title = "metrics", example = true, example = &"127.0.0.1:9464")]
pub enum MetricsText {
    /// Everyone, or nobody.
    Open(bool),
    /// At an address of their own.
    At(Spanned<String>),
}

impl<'de> Deserialize<'de> for MetricsText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let node = Node::deserialize(deserializer)?;
        let read = match &node.value {
            Data::Bool(_) => read(&node).map(Self::Open),
            _ => read(&node).map(Self::At),
        };
        read.map_err(serde::de::Error::custom)
    }
}

/// How the events of a connector are verified.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "webhook setting")]
pub struct Webhooks {
    /// Accept events without any proof. For tests on your own machine only.
    pub unverified: Option<bool>,
    /// Signatures instead of the connector's: one valid one is enough.
    pub signatures: Option<Vec<Spanned<Signature>>>,
    /// Accept those of the connector's signatures as well that its sender has replaced by others. Default: `false`.
    pub legacy_signatures: Option<bool>,
}
