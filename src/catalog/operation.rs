//! An API call as data: everything hob needs to check it, send it, and read its answer.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::nested_inputs::{InputName, NestedInputs};
use super::paging::Listing;
use super::placeholder::{PathTemplate, ValueTemplate};
use super::repeat::{CreatesWhen, FirstOnly};
use super::shows::Shows;
use crate::value::{Kind, Shape};

/// An operation, as described in `schemas/connectors/NAME/*.yaml`. Its id is its key there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// Id, such as `contacts.upsert`: dotted lower-case words, unique in the catalog. Set on loading.
    #[serde(skip)]
    pub id: String,
    /// Name of the connector. Set on loading.
    #[serde(skip)]
    pub connector: String,
    /// Its version of the API, if not the default one.
    #[serde(skip)]
    pub api: Option<String>,
    /// Inputs that were renamed in this version: base name → name.
    #[serde(skip)]
    pub renamed: IndexMap<String, String>,
    /// A few words, such as `Create contact`.
    pub title: String,
    /// One line: what it does, and what to watch out for.
    pub summary: String,
    /// What a recipe may use it for.
    pub kinds: Vec<OperationKind>,
    /// HTTP method in capitals. Empty for built-in and composite operations.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub method: String,
    /// Path relative to the base URL, with `{name}` for path parameters. A trailing slash matters.
    #[serde(default, skip_serializing_if = "is_no_path")]
    #[schemars(with = "String")]
    pub path: PathTemplate,
    /// Value of the connector's version header, if the operation needs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// OAuth scopes that the token needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Kinds of tokens that work: `location`, `agency`. Empty for any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub access: Vec<String>,
    /// The vendor advises against it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub deprecated: bool,
    /// Path, query and header parameters, in the order of the vendor's description.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub parameters: IndexMap<String, Parameter>,
    /// The request body, if it takes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// Input of a built-in or composite operation, which has neither parameters nor a body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Shape>,
    /// At least one of these inputs is required.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub one_of: Vec<String>,
    /// JSONPaths of the result in the answer; the first one with a value is used. Empty: the whole answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub result: Vec<String>,
    /// The answer is a file of this media type instead of JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub download: Option<String>,
    /// Shape of the whole answer, as far as known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Shape>,
    /// For lists: where the items are, and how to page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<Listing>,
    /// The effect of sending it twice.
    #[serde(default)]
    pub effect: Effect,
    /// Inputs with which an otherwise idempotent operation creates a new record each time; one matching case is
    /// enough.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub creates_when: Vec<CreatesWhen>,
    /// Fields of the answer that describe this request only: after a lost answer, the second answer does not state
    /// what the first request did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub first_only: Vec<FirstOnly>,
    /// Lists of which the API may silently store only a part, and where the answer shows the stored part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub read_back: Vec<ReadBack>,
    /// Of a write: how its answer shows the record, for comparing it with what was sent.
    #[serde(default, skip_serializing_if = "Shows::is_default")]
    pub shows: Shows,
    /// Of a write that sets fields of one record and does nothing else, or that adds to one of its lists or takes out
    /// of it: the path parameter that names the record. It is left out where it would change nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updates: Option<String>,
    /// For creates: how to find out whether one happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probe>,
    /// A composite of other operations: of the alternatives whose inputs are given, the first that finds something is
    /// the result.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub composite: Vec<Alternative>,
    /// Performed by hob itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub builtin: Option<Builtin>,
    /// Inputs that replace a whole list of the record → the operation that adds to it instead.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub replaces_all: IndexMap<String, String>,
    /// Pitfalls, a sentence each, shown by `hob catalog show`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Inputs of the example, which validates as it is.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub example: IndexMap<String, Value>,
}

fn is_false(flag: &bool) -> bool {
    !*flag
}

fn is_no_path(path: &PathTemplate) -> bool {
    path.is_empty()
}

/// What a recipe may use an operation for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OperationKind {
    /// As `poll:` in a trigger.
    Poller,
    /// As `do:` in an action. Reads are actions too.
    Action,
}

/// Where a parameter is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// In the path, percent-encoded.
    Path,
    /// In the query string.
    Query,
    /// As a request header.
    Header,
}

/// A parameter outside the body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Where it is sent.
    #[serde(rename = "in")]
    pub place: Place,
    /// Its name in the request, if it differs from the name in recipes (a name that is used in path and query at
    /// once).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wire: Option<String>,
    /// How a list is encoded in the query.
    #[serde(default, skip_serializing_if = "ArrayStyle::is_repeat")]
    pub style: ArrayStyle,
    /// Type, allowed values, required or not.
    pub shape: Shape,
}

impl Parameter {
    /// Its name on the wire; `name` is the one in recipes.
    pub fn on_wire<'a>(&'a self, name: &'a str) -> &'a str {
        self.wire.as_deref().unwrap_or(name)
    }
}

/// How a list is encoded in the query.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ArrayStyle {
    /// `ids=1&ids=2`
    #[default]
    Repeat,
    /// `ids=1,2`
    Comma,
    /// `ids[]=1&ids[]=2`
    Brackets,
}

impl ArrayStyle {
    fn is_repeat(&self) -> bool {
        *self == ArrayStyle::Repeat
    }
}

/// A request body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Body {
    /// Its encoding.
    #[serde(default, skip_serializing_if = "Encoding::is_json")]
    pub encoding: Encoding,
    /// The input name of a body that is a list as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole: Option<String>,
    /// Shape of the body. Its fields are inputs like the parameters.
    pub shape: Shape,
}

/// The encoding of a body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// `application/json`
    #[default]
    Json,
    /// `application/x-www-form-urlencoded`
    Form,
    /// `multipart/form-data`; a field of format `binary` takes the path of a file.
    Multipart,
}

impl Encoding {
    fn is_json(&self) -> bool {
        *self == Encoding::Json
    }
}

/// The effect of sending a request twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// No effect: it can be sent any number of times.
    Read,
    /// The second request changes nothing more.
    Idempotent,
    /// A second record would be created (a contact, a message, an enrolment). The cautious default.
    #[default]
    Create,
}

/// How to find out whether a create happened: `operation` is sent, and its items are compared with what was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// The read to send.
    pub operation: String,
    /// Its inputs: name → a constant, or a value with `{{ input }}` for an input of the create. Inputs that were not
    /// given are omitted.
    #[schemars(with = "IndexMap<String, serde_json::Value>")]
    pub with: NestedInputs<InputName>,
    /// Fields that must be equal: path in an item → name of the create's input. Inputs that were not given are not
    /// compared. Empty if the read finds only matching records (by e-mail address, for example); then `created`
    /// decides.
    #[serde(rename = "match")]
    pub matching: IndexMap<String, String>,
    /// Field of an item with its creation time; an item from before the attempt is another record. If it is only a
    /// little older by another clock, a person must decide. Without this field, the only item that is not the known
    /// result of another step is taken, with a remark in the history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Seconds until the read is sure to show what was created, if different from the connector's `list_lag_seconds`.
    /// Only then does a missing record count as not created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_seconds: Option<u32>,
    /// The read of a record by its id, for a rejection that names the existing record (`errors.existing` of the
    /// connector). Unlike a list, it does not lag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_id: Option<ProbeById>,
}

impl Probe {
    /// The inputs of the create that it asks for.
    pub fn inputs(&self) -> impl Iterator<Item = &str> {
        self.with.values().flat_map(ValueTemplate::names).map(|input| input.0.as_str())
    }
}

/// The read of a record by its id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbeById {
    /// The read to send.
    pub operation: String,
    /// Its input for the id.
    pub id: String,
}

/// A list of named values in the request, and where the answer shows the stored ones. Members that the answer lacks
/// were dropped by the API, which is reported.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadBack {
    /// Input with the list.
    pub input: String,
    /// JSONPath of the list in the answer.
    pub answer: String,
    /// Fields that identify a member, in request and answer.
    pub names: Vec<String>,
    /// Fields with a member's value, in request or answer. They match members whose name the answer does not contain.
    pub values: Vec<String>,
    /// Members that are not sent stay as they are.
    #[serde(default, skip_serializing_if = "is_false")]
    pub merged: bool,
}

/// An alternative of a composite operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alternative {
    /// Used when at least one of these inputs is given.
    pub when: Vec<String>,
    /// The operation to send.
    pub operation: String,
    /// Its inputs: name → a constant, or a value with `{{ input }}` for an input of the composite. Inputs that were
    /// not given are omitted.
    #[schemars(with = "IndexMap<String, serde_json::Value>")]
    pub with: NestedInputs<InputName>,
    /// JSONPath of the result in the answer; nothing there means not found.
    pub result: String,
    /// Statuses that mean not found instead of failure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_found: Vec<u16>,
}

/// Operations that hob performs itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Builtin {
    /// Any HTTP request.
    HttpRequest,
    /// Link two records.
    LinksSave,
    /// The other end of a link.
    LinksFind,
    /// Delete a link.
    LinksDelete,
    /// What two linked records had when they were last made equal.
    LinksBase,
    /// Note what is about to be written to two linked records.
    LinksIntend,
    /// Note what two linked records have, now that they are equal.
    LinksSettle,
    /// Read a stored value.
    StateGet,
    /// Store a value.
    StatePut,
    /// Continue later; survives restarts.
    Wait,
    /// End the run here, successfully.
    Stop,
    /// Add a line to the history and the log.
    Log,
    /// Compute values for later steps.
    Set,
}

impl Builtin {
    /// Whether `field`, one that concerns requests, changes anything for it.
    pub fn honors(self, field: &str) -> bool {
        self == Builtin::HttpRequest && !["version", "kept", "unchanged"].contains(&field)
    }
}

/// An input of an operation: what recipes write under `with`.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// Its name in `with`.
    pub name: &'a str,
    /// Its shape.
    pub shape: &'a Shape,
    /// Path, query or header; `None` for the body and for built-in operations.
    pub place: Option<Place>,
}

impl Operation {
    /// The effect of sending it twice with these inputs.
    pub fn effect_with(&self, inputs: &Map<String, Value>) -> Effect {
        match self.creates_when.iter().any(|case| case.holds(inputs)) {
            true => Effect::Create,
            false => self.effect,
        }
    }

    /// Whether it is allowed after `poll:`.
    pub fn is_poller(&self) -> bool {
        self.kinds.contains(&OperationKind::Poller)
    }

    /// Whether it is allowed after `do:`.
    pub fn is_action(&self) -> bool {
        self.kinds.contains(&OperationKind::Action)
    }

    /// All inputs, parameters first, without duplicates.
    pub fn inputs(&self) -> Vec<Input<'_>> {
        let mut inputs: Vec<Input<'_>> = self
            .parameters
            .iter()
            .map(|(name, p)| Input { name, shape: &p.shape, place: Some(p.place) })
            .collect();
        if let Some(body) = &self.body {
            match &body.whole {
                Some(name) => inputs.push(Input { name, shape: &body.shape, place: None }),
                None => inputs.extend(fields_of(&body.shape)),
            }
        }
        inputs.extend(self.input.iter().flat_map(fields_of));
        inputs
    }

    /// The input `name`.
    pub fn input(&self, name: &str) -> Option<Input<'_>> {
        self.inputs().into_iter().find(|input| input.name == name)
    }

    /// Whether inputs beyond the listed ones are accepted (for an open body).
    pub fn takes_any_input(&self) -> bool {
        let open = |shape: &Shape| shape.is_open();
        self.body.as_ref().is_some_and(|b| b.whole.is_none() && open(&b.shape))
            || self.input.as_ref().is_some_and(|shape| shape.open)
    }

    /// Whether it removes something; then a missing record counts as success.
    pub fn removes(&self) -> bool {
        self.method == "DELETE"
    }

    /// Shape of the result, if known: that of the answer at the first result path.
    pub fn result_shape(&self) -> Option<&Shape> {
        let response = self.response.as_ref()?;
        let Some(path) = self.result.first() else { return Some(response) };
        super::path::walk(response, path)
    }

    /// Whether its list is a single record that may be null.
    pub fn may_find_nothing(&self) -> bool {
        let listed = self.list.as_ref().is_some_and(|list| list.items == self.result);
        listed && self.result_shape().is_some_and(|shape| shape.kind == Kind::Object && shape.nullable)
    }
}

fn fields_of(shape: &Shape) -> impl Iterator<Item = Input<'_>> {
    shape.fields.iter().map(|(name, shape)| Input { name, shape, place: None })
}
