//! The real requests of all named operations, strictly checked against the vendor's descriptions: with the required
//! inputs, all inputs, each input alone and each alternative. Intended differences are in the overlay, with their
//! sources.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hob::catalog::{Catalog, Operation, Place};
use hob::clock::Clock;
use hob::connection::{Connection, Credential, Setup};
use hob::request::{CallOptions, Client, ClientSettings};
use hob::secret::Secret;
use hob::value::{Kind, Shape};
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::cases::{Case, cases};
use super::described::{Described, table};
use super::judge::{Inbox, complaints, meant};

/// Intended differences of an operation's requests from the description.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Difference {
    /// Inputs that the description does not know.
    adds: Vec<String>,
    /// Required inputs that are not needed.
    spares: Vec<String>,
    /// Optional inputs of which one is needed.
    asks: Vec<String>,
    /// Numbers declared as text.
    numbers: Vec<String>,
    /// Allowed values of an input that are not listed.
    values: IndexMap<String, Vec<Value>>,
    /// Names of fields that are described under two names; hob sends the other one.
    names: IndexMap<String, String>,
    /// The source.
    source: String,
}

fn differences() -> BTreeMap<String, Difference> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/connectors/highlevel/overlay.yaml");
    let text = std::fs::read_to_string(path).expect("the overlay");
    let overlay: Value = serde_yaml::from_str(&text).expect("YAML");
    serde_json::from_value(overlay["differences"].clone()).expect("differences")
}

/// `row` as it should be described; every difference must apply.
fn corrected(mut row: Described, operation: &Operation, difference: Option<&Difference>) -> Described {
    let Some(difference) = difference else { return row };
    let id = row.operation.clone();
    assert!(difference.source.len() > 20, "{id}: no source");
    for name in &difference.adds {
        let body = row.body.as_mut().and_then(|body| body["properties"].as_object_mut());
        let body = body.unwrap_or_else(|| panic!("{id}: no body for {name}"));
        let input = operation.input(name).unwrap_or_else(|| panic!("{id}: no input {name}"));
        assert!(body.insert(name.clone(), schema(input.shape)).is_none(), "{id}: {name} is described");
        if input.shape.required {
            let body = row.body.as_mut().and_then(Value::as_object_mut).expect("an object");
            let required = body.entry("required").or_insert_with(|| json!([]));
            required.as_array_mut().expect("a list").push(json!(name));
        }
    }
    for (name, own) in &difference.names {
        let body = row.body.as_mut().expect("a body");
        assert!(without_name(body, name, own) || row.api == "v2", "{id}: {name} stands nowhere beside {own}");
    }
    for name in &difference.spares {
        let required = row.body.as_mut().and_then(|body| body["required"].as_array_mut());
        let required = required.unwrap_or_else(|| panic!("{id}: nothing is required"));
        let before = required.len();
        required.retain(|known| known != name);
        assert!(required.len() < before, "{id}: {name} is not required");
    }
    for name in &difference.numbers {
        let known = row.parameters.iter_mut().find(|known| known.name == *name);
        let known = known.unwrap_or_else(|| panic!("{id}: no {name}"));
        assert_eq!(known.schema["type"], "string", "{id}: {name}");
        known.schema = json!({ "type": "number" });
    }
    for (name, values) in &difference.values {
        let listed = json!({ "enum": values });
        match row.parameters.iter_mut().find(|known| known.name == *name) {
            Some(known) => {
                assert!(known.schema.get("enum").is_none(), "{id}: {name}");
                known.schema = listed;
            }
            None => {
                assert!(row.path.contains(&format!("{{{name}}}")), "{id}: no {name}");
                let (name, place) = (name.clone(), "path".to_owned());
                let parameter = super::described::Parameter { name, place, required: true, schema: listed };
                row.parameters.push(parameter);
            }
        }
    }
    row
}

/// Removes the field `name` if `own` is described as well; returns whether it did.
fn without_name(schema: &mut Value, name: &str, own: &str) -> bool {
    match schema {
        Value::Object(map) if map.contains_key(name) && map.contains_key(own) => map.remove(name).is_some(),
        Value::Object(map) => map.values_mut().fold(false, |any, part| without_name(part, name, own) | any),
        Value::Array(list) => list.iter_mut().fold(false, |any, part| without_name(part, name, own) | any),
        _ => false,
    }
}

/// Our shape as a schema.
fn schema(shape: &Shape) -> Value {
    let mut schema = Map::new();
    if shape.kind != Kind::Any {
        schema.insert("type".into(), json!(shape.kind));
    }
    if !shape.values.is_empty() {
        schema.insert("enum".into(), json!(shape.values));
    }
    if let Some(items) = &shape.items {
        schema.insert("items".into(), self::schema(items));
    }
    if !shape.fields.is_empty() {
        let fields = shape.fields.iter().map(|(name, field)| (name.clone(), self::schema(field)));
        schema.insert("properties".into(), fields.collect());
        let required = shape.fields.iter().filter(|(_, field)| field.required).map(|(name, _)| json!(name));
        schema.insert("required".into(), required.collect());
    }
    schema.extend(shape.maximum.map(|maximum| ("maximum".to_owned(), json!(maximum))));
    Value::Object(schema)
}

/// The program's own client, and a server that accepts everything.
struct TestBed {
    catalog: Arc<Catalog>,
    inbox: Inbox,
    address: String,
    client: Client,
    _folder: tempfile::TempDir,
}

impl TestBed {
    async fn new() -> Self {
        let inbox = Inbox::default();
        let address = inbox.serve().await;
        let folder = tempfile::tempdir().expect("a folder");
        let settings = ClientSettings { downloads: folder.path().to_owned(), ..ClientSettings::default() };
        let client = Client::new(settings, Clock::system()).expect("a client");
        Self { catalog: Arc::new(Catalog::built_in()), inbox, address, client, _folder: folder }
    }

    fn connection(&self, location: Option<&str>) -> Connection {
        let mut connector = self.catalog.connector("highlevel").expect("the connector").as_ref().clone();
        connector.limits = hob::catalog::Limits::default();
        let settings = location.map(|location| ("location".to_owned(), location.to_owned()));
        let setup = Setup {
            base_url: Some(self.address.clone()),
            settings: settings.into_iter().collect(),
            credential: Credential::Bearer(Secret::new("token-1")),
            ..Setup::default()
        };
        Connection::new("studio", Arc::new(connector), setup).expect("a connection")
    }

    /// Sends it; returns hob's problems with the inputs.
    async fn send(
        &self,
        operation: &Arc<Operation>,
        inputs: &Map<String, Value>,
        connection: &Connection,
    ) -> Result<(), String> {
        let options = CallOptions { max_wait: Duration::from_secs(1), ..CallOptions::default() };
        let called = self.client.call(&self.catalog, operation, inputs, connection, &options).await;
        called.map(drop).map_err(|problems| hob::request::list(&problems))
    }
}

/// The inputs of a described request under our names.
fn inputs(operation: &Operation, case: &Case) -> Result<Map<String, Value>, String> {
    let mut inputs = Map::new();
    for ((place, name), value) in &case.parameters {
        let place = if place == "path" { Place::Path } else { Place::Query };
        let is_it = |(key, own): &(&String, &hob::catalog::Parameter)| {
            own.place == place && own.wire.as_ref().unwrap_or(key) == name
        };
        let own = operation.parameters.iter().find(is_it).ok_or_else(|| format!("no parameter {name}"))?;
        inputs.insert(own.0.clone(), value.clone());
    }
    match (&operation.body, &case.body) {
        (Some(hob::catalog::Body { whole: Some(name), .. }), Some(body)) => {
            inputs.insert(name.clone(), body.clone());
        }
        (Some(_), Some(Value::Object(fields))) => inputs.extend(fields.clone()),
        (None, Some(body)) => return Err(format!("no body for {body}")),
        _ => {}
    }
    Ok(inputs)
}

/// An operation in one version of the API, with its descriptions.
struct Subject {
    operation: Arc<Operation>,
    row: Described,
    difference: Difference,
}

fn subjects(catalog: &Catalog) -> Vec<Subject> {
    let differences = differences();
    let subjects: Vec<Subject> = table()
        .into_iter()
        .map(|row| {
            let version = Some(row.api.as_str()).filter(|api| *api != "v2");
            let operation = catalog.operation_in(&row.operation, version);
            let operation =
                Arc::clone(operation.unwrap_or_else(|| panic!("no {} in {}", row.operation, row.api)));
            let difference = differences.get(&row.operation).cloned();
            let row = corrected(row, &operation, difference.as_ref());
            Subject { operation, row, difference: difference.unwrap_or_default() }
        })
        .collect();
    for id in differences.keys() {
        assert!(subjects.iter().any(|subject| subject.row.operation == *id), "{id} is not in the table");
    }
    subjects
}

/// Whatever a description allows is accepted by hob and sent as described, and nothing is lost.
#[tokio::test(flavor = "multi_thread")]
async fn described_inputs_are_sent() {
    let bed = TestBed::new().await;
    let connection = bed.connection(None);
    let (mut wrong, mut sent) = (Vec::new(), 0);
    for subject in subjects(&bed.catalog) {
        for case in cases(&subject.row) {
            let at = format!("{} ({}), {}", subject.row.operation, subject.row.api, case.name);
            match sent_as_described(&bed, &subject, &case, &connection).await {
                Ok(()) => sent += 1,
                Err(complaints) => {
                    wrong.extend(complaints.iter().map(|complaint| format!("{at}: {complaint}")))
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(sent > 1000, "only {sent} requests");
}

async fn sent_as_described(
    bed: &TestBed,
    subject: &Subject,
    case: &Case,
    connection: &Connection,
) -> Result<(), Vec<String>> {
    let Subject { operation, row, difference } = subject;
    let inputs = inputs(operation, case).map_err(|reason| vec![reason])?;
    let refused = bed.send(operation, &inputs, connection).await.err();
    let received = bed.inbox.take();
    let lacks = !difference.asks.is_empty() && !difference.asks.iter().any(|name| inputs.contains_key(name));
    match (&refused, received.as_slice()) {
        (Some(_), []) if lacks => Ok(()),
        (Some(reason), _) => Err(vec![format!("hob refuses it: {reason}")]),
        (None, _) if lacks => Err(vec![format!("hob needs none of {:?}", difference.asks)]),
        (None, [one]) => {
            let mut wrong = complaints(row, one);
            let given = case.body.clone().unwrap_or_default();
            let came: Value = serde_json::from_slice(&one.body).unwrap_or_default();
            if came != given {
                wrong.push(format!("sent {came} for {given}"));
            }
            match wrong.is_empty() {
                true => Ok(()),
                false => Err(wrong),
            }
        }
        (None, several) => Err(vec![format!("{} requests", several.len())]),
    }
}

/// Inputs of the catalog's operations are as described; the connection provides its own.
#[tokio::test(flavor = "multi_thread")]
async fn inputs_of_the_catalog_are_described() {
    let bed = TestBed::new().await;
    let connection = bed.connection(Some("location-1"));
    let subjects = subjects(&bed.catalog);
    let rows: Vec<Described> = subjects.iter().map(|subject| subject.row.clone()).collect();
    let found = bed.catalog.operation("contacts.find").expect("the composite operation").clone();
    let composite = std::iter::once((found, "v2".to_owned()));
    let operations = subjects.iter().map(|s| (Arc::clone(&s.operation), s.row.api.clone())).chain(composite);
    let mut wrong = Vec::new();
    let mut walked = std::collections::BTreeSet::new();
    for (operation, api) in operations {
        walked.insert(operation.id.clone());
        let rows: Vec<Described> = rows.iter().filter(|row| row.api == api).cloned().collect();
        for (name, inputs) in own_cases(&operation) {
            let at = format!("{} ({api}), {name}", operation.id);
            if let Err(reason) = bed.send(&operation, &inputs, &connection).await {
                wrong.push(format!("{at}: hob refuses it: {reason}"));
            }
            let received = bed.inbox.take();
            if received.is_empty() {
                wrong.push(format!("{at}: nothing was sent"));
            }
            for one in received {
                match meant(&rows, &one) {
                    Some(row) => wrong.extend(complaints(row, &one).iter().map(|c| format!("{at}: {c}"))),
                    None => wrong.push(format!("{at}: {} {} is not described", one.method, one.uri)),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(walked.len(), 126);
}

/// The required inputs of `operation`, with each alternative of which one is needed, and all inputs.
fn own_cases(operation: &Operation) -> Vec<(String, Map<String, Value>)> {
    let filled = ["locationId", "location_id"];
    let paging: Vec<&str> = operation.list.iter().flat_map(|list| list.paging.inputs()).collect();
    let mut required = Map::new();
    let mut all = Map::new();
    for input in operation.inputs() {
        let needed = input.shape.required || input.place == Some(Place::Path);
        if needed && !filled.contains(&input.name) && !paging.contains(&input.name) {
            required.insert(input.name.to_owned(), value(input.name, input.shape, false));
        }
        all.insert(input.name.to_owned(), value(input.name, input.shape, true));
    }
    let mut cases: Vec<(String, Map<String, Value>)> = operation
        .one_of
        .iter()
        .map(|name| {
            let mut inputs = required.clone();
            inputs.insert(name.clone(), all[name].clone());
            (format!("required with {name}"), inputs)
        })
        .collect();
    if cases.is_empty() {
        cases.push(("required".into(), required));
    }
    cases.push(("all".into(), all));
    cases
}

fn value(name: &str, shape: &Shape, all: bool) -> Value {
    if let Some(first) = shape.values.first() {
        return first.clone();
    }
    if let Some(first) = shape.any_of.first() {
        return value(name, first, all);
    }
    match shape.kind {
        Kind::Any | Kind::String if name.to_lowercase().contains("email") => json!("ada@example.com"),
        Kind::Any | Kind::String => json!("text-1"),
        Kind::Integer | Kind::Number => {
            json!(10.min(shape.maximum.unwrap_or(10)).max(shape.minimum.unwrap_or(0)))
        }
        Kind::Boolean => json!(true),
        Kind::Array => shape.items.iter().map(|items| value(name, items, all)).collect(),
        Kind::Object => {
            let fields = shape
                .fields
                .iter()
                .filter(|(name, field)| all || field.required || shape.one_of.first() == Some(*name));
            Value::Object(fields.map(|(name, field)| (name.clone(), value(name, field, all))).collect())
        }
    }
}
