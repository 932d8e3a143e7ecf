//! Every operation of every connector answers a valid request, and its result is where the catalog says.

use hob::catalog::{Operation, path};
use serde_json::Value;

use super::client::Client;

/// A valid request of each operation of `connector`, each on a fresh stand-in.
async fn walk(connector: &str) -> usize {
    let client = Client::start().await;
    let operations: Vec<_> = client
        .catalog
        .operations()
        .filter(|o| o.connector == connector && !o.path.is_empty())
        .cloned()
        .collect();
    let mut problems = Vec::new();
    for operation in &operations {
        client.sandbox.reset();
        let inputs = client.sandbox.example(&operation.id).expect("a request");
        let answer = client.call(&operation.id, Value::Object(inputs.clone())).await;
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

/// What of the answer the catalog's words do not find.
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
    // A reply that is mere scenery would fit its shape too; state is proved by the round trips.
    if let Some(shape) = &operation.response {
        let complaints = shape.check(body, &Value::is_null);
        let wrong = complaints.iter().find(|problem| {
            matches!(
                problem.kind,
                hob::value::ProblemKind::WrongType { .. } | hob::value::ProblemKind::NotAllowed { .. }
            )
        });
        problems.extend(wrong.map(|problem| format!("{id}: {problem:?}")));
    }
    problems
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
