//! One API call as data: everything the rest of hob needs to know to check, send and read it.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::paging::Listing;
use super::repeat::{CreatesWhen, FirstOnly};
use crate::value::{Kind, Shape};

/// An operation, as it stands in `schemas/connectors/NAME/*.yaml`. Its id is the key it stands under.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// `contacts.upsert`: dotted lower-case words, unique in the catalog. Filled on loading.
    #[serde(skip)]
    pub id: String,
    /// Name of the connector. Filled on loading.
    #[serde(skip)]
    pub connector: String,
    /// The version of the API it is of, where that is not the one its file describes.
    #[serde(skip)]
    pub api: Option<String>,
    /// Inputs that have another name in this version: base name → name.
    #[serde(skip)]
    pub renamed: IndexMap<String, String>,
    /// A few words, such as `Create contact`.
    pub title: String,
    /// One line on what it does and what to watch out for.
    pub summary: String,
    /// What a recipe may use it for.
    pub kinds: Vec<OperationKind>,
    /// HTTP method in capitals. Absent for built-in and composite operations.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub method: String,
    /// Path below the base URL, with `{name}` for path parameters. A trailing slash matters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// Value of the connector's version header, where the operation wants one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// OAuth scopes the token needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Kinds of token that work: `location`, `agency`. Empty: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub access: Vec<String>,
    /// The vendor advises against it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub deprecated: bool,
    /// Path, query and header parameters, in the order of the description.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub parameters: IndexMap<String, Parameter>,
    /// The request body, if it takes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// Input of a built-in or composite operation, which has neither parameters nor a body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Shape>,
    /// At least one of these inputs must be given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub one_of: Vec<String>,
    /// Where the result stands in the answer: JSONPaths, the first that finds something wins.
    /// Empty: the whole answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub result: Vec<String>,
    /// The answer is a file of this media type instead of JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub download: Option<String>,
    /// Shape of the whole answer, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Shape>,
    /// For pollers: where the items are and how to read on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<Listing>,
    /// What sending it twice would do.
    #[serde(default)]
    pub effect: Effect,
    /// Inputs with which an idempotent operation makes a new record each time: one of these cases is enough.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub creates_when: Vec<CreatesWhen>,
    /// Fields of the answer that tell what this very request did: what they tell after a lost answer is not
    /// taken for what the step did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub first_only: Vec<FirstOnly>,
    /// Lists that the API stores only in part, without a word: where the answer shows what is there now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub read_back: Vec<ReadBack>,
    /// For creates: how to find out whether it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probe>,
    /// Made of other operations: the first alternative whose inputs are given and that finds
    /// something is the result.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub composite: Vec<Alternative>,
    /// Performed by hob itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub builtin: Option<Builtin>,
    /// Inputs that replace all that the record had in a list → the operation that adds to it instead.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub replaces_all: IndexMap<String, String>,
    /// Pitfalls worth knowing, a sentence each, shown by `hob catalog show`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Inputs for a recipe snippet that validates as it stands.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub example: IndexMap<String, Value>,
}

fn is_false(flag: &bool) -> bool {
    !*flag
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

/// Where a parameter goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// Into the path, percent-encoded.
    Path,
    /// Into the query string.
    Query,
    /// As a request header.
    Header,
}

/// A parameter outside the body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Where it goes.
    #[serde(rename = "in")]
    pub place: Place,
    /// Name on the wire, where it differs from the name in recipes (a name that stands in path and
    /// query at once).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wire: Option<String>,
    /// How a list is written into the query.
    #[serde(default, skip_serializing_if = "ArrayStyle::is_repeat")]
    pub style: ArrayStyle,
    /// Type, allowed values, required or not.
    pub shape: Shape,
}

/// How a list becomes a query string.
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
    /// How it is written.
    #[serde(default, skip_serializing_if = "Encoding::is_json")]
    pub encoding: Encoding,
    /// A body that is a list as a whole stands in `with` under this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole: Option<String>,
    /// Shape of the body. Its fields stand in `with` beside the parameters.
    pub shape: Shape,
}

/// How a body is written.
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

/// What sending a request twice would do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Changes nothing: send as often as you like.
    Read,
    /// The second time changes nothing more.
    Idempotent,
    /// A second thing would appear (a contact, a message, an enrolment). The cautious default.
    #[default]
    Create,
}

/// How to find out whether a create happened: ask `operation` and look for an item whose fields
/// equal what was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// The read to send.
    pub operation: String,
    /// Its inputs: name of the input → name of the create's input whose value it gets.
    pub with: IndexMap<String, String>,
    /// Fields that must be equal: path within a found item → name of the create's input. Inputs
    /// that the create did not give are left out of the comparison. Empty where the read finds only
    /// what is like it (by e-mail address, say); then `created` decides.
    #[serde(rename = "match")]
    pub matching: IndexMap<String, String>,
    /// Field of a found item that tells when it came to be; one from before the attempt is another record.
    /// One that is older by little, by another clock, is a person's to judge. Where a record does not tell it,
    /// the only one that is no step's known result is taken, and the history says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Seconds until the read is sure to show what was created, where that is not the connector's
    /// `list_lag_seconds`. What is not there counts as not done only after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_seconds: Option<u32>,
    /// The read of one record by its id: for a refusal that names the record there is (`errors.existing` of the
    /// connector). Unlike a list, it does not lag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_id: Option<ProbeById>,
}

/// The read of one record by its id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbeById {
    /// The read to send.
    pub operation: String,
    /// Its input that takes the id.
    pub id: String,
}

/// A list of named values that is sent, and where the answer shows what became of it. Members that are
/// sent and not shown were dropped by the API, which is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadBack {
    /// Input that holds the list.
    pub input: String,
    /// JSONPath of the list in the answer.
    pub answer: String,
    /// Fields that name a member, in what is sent as in what is shown.
    pub names: Vec<String>,
    /// Fields that hold a member's value, in what is sent or in what is shown. By them a member is known
    /// that is sent by a name that the answer does not have.
    pub values: Vec<String>,
}

/// One way for a composite operation to get its result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alternative {
    /// Taken when at least one of these inputs is given.
    pub when: Vec<String>,
    /// The operation to send.
    pub operation: String,
    /// Its inputs: name → a literal, or a string that is one `{{ input }}` for an input of the
    /// composite. An input that was not given leaves the name out.
    pub with: IndexMap<String, Value>,
    /// Where the result stands in the answer; nothing there means not found.
    pub result: String,
    /// Answers that mean not found instead of failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_found: Vec<u16>,
}

/// What hob performs itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Builtin {
    /// Any HTTP request.
    HttpRequest,
    /// Remember that a record here is a record there.
    LinksSave,
    /// The other end of a link.
    LinksFind,
    /// Forget a link.
    LinksDelete,
    /// Read a remembered value.
    StateGet,
    /// Remember a value.
    StatePut,
    /// Go on later; survives restarts.
    Wait,
    /// End the run here, successfully.
    Stop,
    /// Write a line into the history and the log.
    Log,
}

impl Builtin {
    /// Whether `field`, one that concerns requests, changes anything for it.
    pub fn honors(self, field: &str) -> bool {
        self == Builtin::HttpRequest && field != "version"
    }
}

/// An input of an operation: where it goes and its shape. What recipes write under `with`.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// Name in `with`.
    pub name: &'a str,
    /// Its shape.
    pub shape: &'a Shape,
    /// Path, query or header; `None` for the body and for built-in operations.
    pub place: Option<Place>,
}

impl Operation {
    /// What sending it twice with these inputs would do.
    pub fn effect_with(&self, inputs: &Map<String, Value>) -> Effect {
        match self.creates_when.iter().any(|case| case.holds(inputs)) {
            true => Effect::Create,
            false => self.effect,
        }
    }

    /// May stand after `poll:`.
    pub fn is_poller(&self) -> bool {
        self.kinds.contains(&OperationKind::Poller)
    }

    /// May stand after `do:`.
    pub fn is_action(&self) -> bool {
        self.kinds.contains(&OperationKind::Action)
    }

    /// All inputs, parameters first. A name occurs once.
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

    /// The input called `name`.
    pub fn input(&self, name: &str) -> Option<Input<'_>> {
        self.inputs().into_iter().find(|input| input.name == name)
    }

    /// Inputs beyond the listed ones are passed on (an open body).
    pub fn takes_any_input(&self) -> bool {
        let open = |shape: &Shape| shape.is_open();
        self.body.as_ref().is_some_and(|b| b.whole.is_none() && open(&b.shape))
            || self.input.as_ref().is_some_and(|shape| shape.open)
    }

    /// Something is gone after it: what is not there any more need not be removed.
    pub fn removes(&self) -> bool {
        self.method == "DELETE"
    }

    /// Shape of the result: the answer's shape at the first result path, where it is known.
    pub fn result_shape(&self) -> Option<&Shape> {
        let response = self.response.as_ref()?;
        let Some(path) = self.result.first() else { return Some(response) };
        super::path::walk(response, path)
    }

    /// Whether the one record that is its list may be null, where there is none.
    pub fn may_find_nothing(&self) -> bool {
        let listed = self.list.as_ref().is_some_and(|list| list.items == self.result);
        listed && self.result_shape().is_some_and(|shape| shape.kind == Kind::Object && shape.nullable)
    }
}

fn fields_of(shape: &Shape) -> impl Iterator<Item = Input<'_>> {
    shape.fields.iter().map(|(name, shape)| Input { name, shape, place: None })
}
