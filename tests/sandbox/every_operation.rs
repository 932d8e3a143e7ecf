//! Every operation of every connector answers a valid request, with its result at the catalog's place.

use hob::catalog::{Catalog, Effect, Operation, path};
use hob::value::{Kind, ProblemKind, Shape, ShapeProblem};
use serde_json::Value;

use super::client::Client;

/// Connectors whose operations all use stored records.
const SEEDED: [&str; 2] = ["highlevel", "fitr"];
/// Signals without effects, tokens, and removals of things that a fresh stand-in lacks.
const TRACELESS: [&str; 6] = [
    "oauth.token.create",
    "conversations.live_chat.send_typing",
    "contacts.campaigns.remove",
    "contacts.campaigns.remove_all",
    "contacts.workflows.remove",
    "calendars.groups.validate_slug",
];

/// Operations whose answers lack fields that they are declared to have: a token has no more here than is needed.
const PARTIAL: [&str; 1] = ["oauth.token.create"];

/// Whether the script describes the operation: the others return sample answers.
fn named(operation: &Operation) -> bool {
    let text = Catalog::built_in_sandbox(&operation.connector).unwrap_or_default();
    text.contains(&format!("\n  {}:", operation.id)) && !TRACELESS.contains(&operation.id.as_str())
}

/// Sends a valid request for each operation of `connector`, each on a fresh stand-in.
async fn walk(connector: &str) -> usize {
    let client = Client::start().await;
    let operations: Vec<_> = client
        .catalog
        .operations()
        .filter(|o| o.connector == connector && !o.path.is_empty() && o.composite.is_empty())
        .cloned()
        .collect();
    let mut problems = Vec::new();
    for operation in &operations {
        let inputs = client.sandbox.example(&operation.id).expect("a request");
        let answer = client.call(&operation.id, Value::Object(inputs.clone())).await;
        let changes = client.sandbox.log().pop().expect("it was served").changes;
        if operation.effect != Effect::Read {
            if changes.is_empty() && SEEDED.contains(&connector) && named(operation) {
                problems.push(format!("{}: nothing changed", operation.id));
            }
            client.sandbox.reset();
        } else if !changes.is_empty() {
            problems.push(format!("{}: a read changed {changes:?}", operation.id));
        }
        if !(200..300).contains(&answer.status) {
            let inputs = Value::Object(inputs);
            problems.push(format!("{}: {} {} for {inputs}", operation.id, answer.status, answer.body));
            continue;
        }
        problems.extend(misplaced(operation, &answer.body, answer.bytes));
    }
    assert!(problems.is_empty(), "{} of {}:\n{}", problems.len(), operations.len(), problems.join("\n"));
    operations.len()
}

/// Paths of the catalog that find nothing in the answer.
fn misplaced(operation: &Operation, body: &Value, bytes: usize) -> Vec<String> {
    let id = &operation.id;
    if operation.download.is_some() {
        return if bytes > 0 { vec![] } else { vec![format!("{id}: an empty file")] };
    }
    let mut problems = Vec::new();
    if path::read_first(body, &operation.result).is_none() {
        problems.push(format!("{id}: nothing at {:?} in {body}", operation.result));
    }
    if let Some(list) = &operation.list {
        let items = path::read_first(body, &list.items);
        match items.as_ref().map(|items| items.as_array().map_or(1, Vec::len)) {
            None | Some(0) => problems.push(format!("{id}: no items at {:?} in {body}", list.items)),
            Some(_) => problems.extend(anonymous(operation, items.as_ref())),
        }
    }
    if let Some(shape) = operation.response.as_ref().filter(|_| !PARTIAL.contains(&id.as_str())) {
        let mut lacking = Vec::new();
        lacks(shape, body, "$", &mut lacking);
        problems.extend(
            lacking.into_iter().map(|path| format!("{id}: nothing at {path}, which may not be null")),
        );
    }
    problems.extend(misshapen(operation, body).map(|problem| format!("{id}: {problem:?}")));
    problems
}

/// Differences of the answer's types from the catalog. A sample answer would match as well; state is tested by the
/// round trips.
fn misshapen(operation: &Operation, body: &Value) -> Option<ShapeProblem> {
    let shape = operation.response.as_ref()?;
    let bodies = match body {
        // Described as one, answered as several: live answers have the list.
        Value::Array(items) if shape.kind == Kind::Object => items.clone(),
        other => vec![other.clone()],
    };
    let problems = bodies.iter().flat_map(|body| shape.check(body, &Value::is_null));
    let wrong = |problem: &ShapeProblem| match &problem.kind {
        // The description has a list of lists instead of a list of records.
        ProblemKind::WrongType { expected, .. } if expected == "a list" => false,
        // Besides the days of the free slots.
        ProblemKind::WrongType { .. } => problem.path != ["traceId"],
        ProblemKind::NotAllowed { .. } => true,
        _ => false,
    };
    problems.into_iter().find(wrong)
}

/// Fields that are declared to be there always, and are not.
fn lacks(shape: &Shape, value: &Value, path: &str, found: &mut Vec<String>) {
    if shape.doubtful || !shape.any_of.is_empty() {
        return;
    }
    match value {
        Value::Object(fields) => {
            for (name, field) in &shape.fields {
                let path = format!("{path}.{name}");
                match fields.get(name) {
                    None | Some(Value::Null) if field.nullable || field.kind == Kind::Any => {}
                    None | Some(Value::Null) => found.push(path),
                    Some(value) => lacks(field, value, &path, found),
                }
            }
        }
        Value::Array(items) => {
            for (item, shape) in items.iter().zip(shape.items.iter().cycle()).take(3) {
                lacks(shape, item, &format!("{path}[*]"), found);
            }
        }
        _ => {}
    }
}

fn anonymous(operation: &Operation, items: Option<&Value>) -> Option<String> {
    let list = operation.list.as_ref()?;
    let first = match items? {
        Value::Array(items) => items.first()?,
        item => item,
    };
    let has = |name: &String| first.get(name).is_some();
    let id_missing = !list.id.is_empty() && !list.id.iter().any(has);
    let times: Vec<&String> = list.updated.iter().chain(&list.created).filter(|name| !has(name)).collect();
    (id_missing || !times.is_empty())
        .then(|| format!("{}: no id of {:?} or no {times:?} in {first}", operation.id, list.id))
}

#[tokio::test]
async fn fitr() {
    assert!(walk("fitr").await >= 20);
}

#[tokio::test]
async fn highlevel() {
    assert!(walk("highlevel").await >= 125);
}
