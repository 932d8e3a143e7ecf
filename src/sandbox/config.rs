//! The types of `sandbox.yaml`: how a connector's stand-in behaves, and its initial data.

use std::sync::{Arc, LazyLock};

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::identity::Identity;
use super::step::Behaviour;
use super::template::Template;
use crate::catalog::{AuthScheme, Connector};
use crate::value::schema_of;

/// The user known to stand-ins; any accepted credential is its password.
pub(super) const USER: &str = "sandbox";

/// How the sandbox stands in for a connector: `sandbox.yaml` beside the connector's files. All of it is
/// optional; without it answers are made up in the shapes that the connector describes. Values with `{{ … }}`
/// are expressions of Jinja, but not the templates of recipes: what is undefined is left out here. They see the
/// request as `method`, `url`, `path`, `query` and `body`, the connection's `settings`, the time as `now` and
/// `now_ms`, what earlier steps left under their `as`, in an answer the `record`, and in a list's answer
/// `total`, `count`, `more`, `cursor` and `page`. Beside Jinja's filters there are `e164(country)`,
/// `epoch_ms`, `iso`, `local_time`, `date`, `minutes_later(n)`, `pad(width)`, `slug` and `without(list)`. A
/// mapping of `for_each` and `do` is one value for each member, `item`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Script {
    /// Values of the connection's settings, as a connection to the stand-in has them.
    pub(super) settings: IndexMap<String, String>,
    /// Settings that a token is bound to: their inputs must be given and must have this value.
    pub(super) bound: Vec<String>,
    /// What a connection to the stand-in has under `auth`.
    pub(super) auth: Value,
    /// Credentials it accepts, however they are sent.
    pub(super) tokens: Vec<String>,
    /// Header of the `header` way to authenticate.
    pub(super) key_header: Option<String>,
    /// Answers to requests that are refused, by what is wrong.
    pub(super) refusals: IndexMap<String, Answer>,
    /// The message for each mistake of a request.
    pub(super) complaints: IndexMap<String, Template>,
    /// Answer of the token endpoint.
    pub(super) token_answer: Option<Template>,
    /// Words and names that generated records are made of.
    pub(super) lists: IndexMap<String, Vec<Value>>,
    /// What is stored, in the order it is seeded.
    pub(super) collections: IndexMap<String, Arc<Collection>>,
    /// What each operation does.
    pub(super) operations: IndexMap<String, Behaviour>,
    /// Values for inputs, for making up a valid request.
    pub(super) examples: IndexMap<String, Template>,
}

/// The structure of `sandbox.yaml` as JSON Schema, draft 7.
pub fn schema() -> &'static Value {
    static SCHEMA: LazyLock<Value> = LazyLock::new(schema_of::<Script>);
    &SCHEMA
}

impl Script {
    /// With a credential for the usual way to authenticate of `connector`, where the script has none:
    /// a stand-in that asks for none would not reveal that a recipe's connection lacks one.
    pub(super) fn with_credential(mut self, connector: &Connector) -> Self {
        if !self.auth.is_null() || !self.tokens.is_empty() {
            return self;
        }
        let token = format!("{}-sandbox-key", connector.connector);
        match connector.auth.first() {
            None => return self,
            Some(AuthScheme::Bearer | AuthScheme::Oauth { .. }) => self.auth = json!({ "token": token }),
            Some(AuthScheme::Header) => {
                let name = "X-API-Key";
                self.auth = json!({ "header": { "name": name, "value": token } });
                self.key_header = Some(name.to_owned());
            }
            Some(AuthScheme::Basic) => {
                self.auth = json!({ "basic": { "username": USER, "password": token } });
                self.tokens.push(format!("{USER}:{token}"));
            }
            Some(AuthScheme::Login(_)) => {
                self.auth = json!({ "login": { "username": USER, "password": token } });
            }
        }
        self.tokens.push(token);
        self
    }
}

/// Members of a list that name records of another collection.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Known {
    /// The collection.
    pub(super) collection: String,
    /// Field of a member that holds the record's id.
    pub(super) by: String,
}

/// An answer as data.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    /// HTTP status.
    pub(super) status: u16,
    /// JSON of the answer.
    pub(super) body: Option<Template>,
}

/// Records of one kind.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Collection {
    /// How its ids look.
    pub(super) id: Identity,
    /// Field with the time of creation.
    pub(super) created: Option<String>,
    /// Field with the time of the last change.
    pub(super) updated: Option<String>,
    /// How times are written.
    pub(super) times: Times,
    /// Time of the first seeded record.
    pub(super) start: Option<String>,
    /// Between one seeded record and the next.
    pub(super) every: Option<String>,
    /// Fields in which no two records are equal.
    pub(super) unique: Vec<String>,
    /// Fields that are rewritten when they are given; the expression sees `value`.
    pub(super) normalise: IndexMap<String, Template>,
    /// Fields of a new record that were not given.
    pub(super) defaults: IndexMap<String, Template>,
    /// List → the records that its members must name; other members are dropped silently.
    pub(super) known: IndexMap<String, Known>,
    /// Lists whose members are merged by a key when they are written: field → member's key.
    pub(super) merge_by: IndexMap<String, String>,
    /// Fields made from others at every write; the expression sees `record`.
    pub(super) computed: IndexMap<String, Template>,
    /// Fields that show records of another collection.
    pub(super) embed: IndexMap<String, Embed>,
    /// Fields that answers do not show.
    pub(super) hidden: Vec<String>,
    /// Records at the start.
    pub(super) seed: Vec<IndexMap<String, Template>>,
    /// Further records at the start, generated.
    pub(super) generate: Option<Generate>,
}

/// How times of a collection are written.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Times {
    /// `2026-11-02T09:00:00.000Z`
    #[default]
    Iso,
    /// Milliseconds since 1970.
    EpochMs,
}

/// Records of another collection, shown within a record.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Embed {
    /// The other collection.
    #[serde(rename = "in")]
    pub(super) collection: String,
    /// Its field that holds this record's id.
    pub(super) by: String,
    /// Fields to show; all when empty.
    #[serde(default)]
    pub(super) fields: Vec<String>,
}

/// Generated records.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Generate {
    /// How many.
    pub(super) count: usize,
    /// The number can be set when the sandbox starts, to any size: records are generated when they are read.
    #[serde(default)]
    pub(super) scales: bool,
    /// Their fields. Expressions see `n`, `at`, every list (one member of it, the same within a
    /// record), and the records above as `seed.COLLECTION` and, one at random, `any.COLLECTION`.
    pub(super) fields: IndexMap<String, Template>,
}
