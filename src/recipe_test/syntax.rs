//! What may stand in a `*.test.yaml` file. Its schema, its errors and its reading all come from these types.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::links::LinkEntry;
use crate::run::RunState;
use crate::source::{Node, Spanned, read};

/// Any mapping.
type Mapping = serde_json::Map<String, Value>;

/// Expected values by name.
type ExpectedValues = IndexMap<Spanned<String>, Node>;

/// Tests of one recipe.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "file of tests")]
pub struct File {
    /// Name of the recipe. Default: the recipe in the file of the same name without `.test`, in the same folder.
    #[schemars(example = &"clients-to-contacts")]
    pub recipe: Option<Spanned<String>>,
    /// The time at which each test begins. Default: `2026-01-05T09:00:00Z`, a Monday.
    #[schemars(example = &"2026-11-28T09:00:00Z")]
    pub now: Option<Spanned<String>>,
    /// Values of the environment variables that hob.yaml lists, for all tests.
    #[schemars(example = serde_json::json!({ "ALERT_URL": "https://example.com/alert" }))]
    pub env: Option<IndexMap<String, String>>,
    /// Answers of operations, for all tests that do not stub the operation themselves.
    #[schemars(example = serde_json::json!({ "contacts.upsert": { "result": { "id": "c1" } } }))]
    pub stubs: Option<IndexMap<Spanned<String>, Stubs>>,
    /// The tests.
    #[schemars(with = "Vec<Test>")]
    pub tests: Vec<Node>,
}

/// A test: an event, what is known before, the answers, and what is expected.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "test")]
pub struct Test {
    /// What it shows, in a few words. In `cases`, it is added to the name of the test.
    #[schemars(example = &"a new client becomes a contact")]
    pub name: Option<Spanned<String>>,
    /// Name of the recipe, in a file with tests of several ones, such as those that a sync stands for.
    #[schemars(example = &"people/fitr-to-highlevel")]
    pub recipe: Option<Spanned<String>>,
    /// The event: a record of the polled list, the body of a webhook, or any mapping.
    #[schemars(with = "Option<Mapping>", example = serde_json::json!({ "id": 7, "email": "ada@example.com" }))]
    pub event: Option<Node>,
    /// The event as JSON in a file, relative to this one.
    #[schemars(example = &"events/client.json")]
    pub event_file: Option<Spanned<String>>,
    /// The event is a sample of what the trigger gives, made from the catalog. The fields of `event` replace its own.
    pub event_sample: Option<Spanned<bool>>,
    /// Kind of the event: `new`, `changed` or `removed` of a poll, or the name of a webhook's event.
    #[schemars(example = &"changed")]
    pub kind: Option<Spanned<String>>,
    /// The record as hob saw it before, for recipes that read `event.changed` or `event.before`.
    #[schemars(with = "Option<Mapping>")]
    pub before: Option<Node>,
    /// The time at which the test begins.
    #[schemars(example = &"2026-11-28T09:00:00Z")]
    pub now: Option<Spanned<String>>,
    /// Values of environment variables.
    pub env: Option<IndexMap<String, String>>,
    /// Links before the run: name → from → to, or a mapping of `to` and what is noted of both records (`base`, `sent`).
    #[schemars(example = serde_json::json!({ "fitr-client": { "7": "c1" } }))]
    pub links: Option<IndexMap<String, IndexMap<String, LinkEntry>>>,
    /// Values that `state.get` finds: key → value.
    #[schemars(with = "Option<Mapping>", example = serde_json::json!({ "last-report": "2026-11-27" }))]
    pub state: Option<IndexMap<String, Node>>,
    /// Answers of operations. An operation without one answers with a sample made from the catalog.
    #[schemars(example = serde_json::json!({ "contacts.upsert": [{ "status": 503 }, { "result": { "id": "c1" } }] }))]
    pub stubs: Option<IndexMap<Spanned<String>, Stubs>>,
    /// What is expected. Default: the run succeeds.
    pub expect: Option<Expected>,
    /// The same test with other values: each case has its own fields, laid over those of the test.
    #[schemars(with = "Option<Vec<Test>>")]
    #[expect(dead_code, reason = "read before the rest of a test")]
    pub cases: Option<Vec<Node>>,
}

/// The answers of an operation: one for all requests, or a list.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged, title = "answers")]
pub enum Stubs {
    /// For all requests.
    One(Box<Stub>),
    /// The first that fits and has not answered yet; the last that fits answers all further requests.
    Sequence(Vec<Stub>),
}

impl<'de> Deserialize<'de> for Stubs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let node = Node::deserialize(deserializer)?;
        let stubs = match node.as_map() {
            Some(_) => read(&node).map(Self::One),
            None => read(&node).map(Self::Sequence),
        };
        stubs.map_err(D::Error::custom)
    }
}

impl Stubs {
    /// All of them, in order.
    pub fn all(&self) -> &[Stub] {
        match self {
            Self::One(stub) => std::slice::from_ref(stub.as_ref()),
            Self::Sequence(stubs) => stubs,
        }
    }
}

/// An answer of an operation.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "answer", example = serde_json::json!({ "result": { "id": "c1" } }))]
pub struct Stub {
    /// It answers only requests with these inputs; others are not compared.
    #[schemars(with = "Option<Mapping>", example = serde_json::json!({ "contactId": "c1" }))]
    pub with: Option<Node>,
    /// What the step gets as its result; the answer's body is built around it.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "Option<Value>")]
    pub result: Option<Node>,
    /// The answer's body.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "Option<Value>")]
    pub body: Option<Node>,
    /// HTTP status. Default: 200.
    #[schemars(range(min = 100, max = 599), example = 503)]
    pub status: Option<Spanned<u16>>,
    /// Headers of the answer.
    #[schemars(example = serde_json::json!({ "Retry-After": "30" }))]
    pub headers: Option<IndexMap<String, String>>,
    /// The request is sent and its answer is lost, as when a connection breaks.
    pub lost: Option<Spanned<bool>>,
}

/// Reads a field that is there, even as null.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Node>, D::Error> {
    Node::deserialize(deserializer).map(Some)
}

/// What a test expects. What is left out is not compared.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "expected")]
pub struct Expected {
    /// How the run ends. Default: `succeeded`.
    #[schemars(with = "Option<RunEnd>")]
    pub run: Option<Spanned<RunState>>,
    /// Words in the reason that it gives.
    pub reason: Option<Spanned<String>>,
    /// The requests, in order: all that have an effect, and those reads that are listed.
    pub requests: Option<Spanned<Vec<Request>>>,
    /// The requests may come in another order. Default: `false`.
    pub any_order: bool,
    /// Links after the run: name → from → to, or null where there must be none; or a mapping of `to`, `base` and `sent`,
    /// of which those that are listed are compared.
    #[schemars(with = "Option<IndexMap<String, Mapping>>")]
    pub links: Option<IndexMap<Spanned<String>, ExpectedValues>>,
    /// Values after the run: key → value, or null where there must be none.
    #[schemars(with = "Option<Mapping>")]
    pub state: Option<ExpectedValues>,
    /// Results of steps: id → fields of the result, or `skipped`.
    #[schemars(with = "Option<Mapping>")]
    pub steps: Option<ExpectedValues>,
}

/// How a run ends.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", title = "end of a run")]
#[expect(dead_code, reason = "only its schema is used")]
enum RunEnd {
    /// All steps were completed.
    Succeeded,
    /// A step failed.
    Failed,
    /// The recipe's condition was false.
    Filtered,
    /// It was an echo of hob's own write.
    Suppressed,
    /// It waits for a person.
    Parked,
}

/// An expected request.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "request", example = serde_json::json!({ "do": "contacts.upsert", "with": { "email": "ada@example.com" } }))]
pub struct Request {
    /// The operation.
    #[serde(rename = "do")]
    pub operation: Spanned<String>,
    /// Its inputs, as sent: those that are listed must be equal, mappings within them too.
    #[serde(default)]
    #[schemars(with = "Option<Mapping>")]
    pub with: Option<Node>,
    /// No other inputs may be sent. Default: `false`.
    #[serde(default)]
    pub exact: bool,
}
