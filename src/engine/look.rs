//! Looks into a step in doubt: asks the API whether it happened.

use serde_json::{Map, Value};

use super::act::{Surroundings, call_options, connection};
use super::translate;
use crate::catalog::Operation;
use crate::request::{Outcome, complete};
use crate::run::probe::{self, Sighting};
use crate::run::{Finding, Probe, Report};

/// What can be found out about `doubt`.
pub(super) async fn look(around: &Surroundings<'_>, doubt: &Probe) -> Finding {
    let unclear = |reason: String| Finding::Unclear {
        reason: format!("step `{}` may have happened: {reason}", doubt.step),
    };
    let Some(data) = &doubt.operation.probe else { return unclear("hob has no way to find out".into()) };
    let Some(read) = around.catalog.operation(&data.operation) else {
        return unclear(format!("`{}`, which could tell, is not in the catalog", data.operation));
    };
    let connection = match connection(around.world, &doubt.operation, doubt.connection.as_deref()) {
        Ok(connection) => connection,
        Err(reason) => return unclear(reason),
    };
    // What was sent holds what the connection fills in, too.
    let sent =
        complete(&doubt.operation, &doubt.inputs, Some(&connection)).unwrap_or_else(|_| doubt.inputs.clone());
    let inputs = probe::inputs(data, &sent);
    let client = &around.world.client;
    let called = client.call(around.catalog, read, &inputs, &connection, &call_options(around)).await;
    match called {
        Err(problems) => unclear(format!(
            "`{}`, which could tell, cannot be sent: {}",
            read.id,
            crate::request::list(&problems)
        )),
        Ok(Outcome::Ok(answer)) => match probe::look(data, read, &answer.body, &sent, doubt.sent) {
            Sighting::Found(item) => {
                Finding::Happened(adopted(&doubt.operation, item, doubt.pick.as_deref()))
            }
            Sighting::Absent => Finding::DidNotHappen,
            Sighting::Unclear(reason) => unclear(reason),
        },
        Ok(Outcome::RateLimited { retry_after }) => {
            Finding::Later { wait: retry_after, reason: "rate limited by the server".into() }
        }
        Ok(Outcome::Held { wait, reason }) => Finding::Later { wait, reason },
        Ok(Outcome::TryAgain { reason, retry_after, .. }) => {
            Finding::Later { wait: retry_after.unwrap_or_default(), reason }
        }
        Ok(Outcome::Refused(refusal)) => unclear(format!("`{}` was refused: {}", read.id, refusal.message)),
        Ok(Outcome::InDoubt { reason, .. }) => unclear(reason),
    }
}

/// The result that later steps would have seen, made from the record that was found: as the answer
/// would have held it.
fn adopted(operation: &Operation, item: Value, pick: Option<&str>) -> Value {
    let Some(pick) = pick else { return item };
    let path = operation.result.first().map_or("$", String::as_str);
    let names: Option<Vec<&str>> = path.strip_prefix('$').map(|rest| rest.split('.').skip(1).collect());
    let simple = |name: &&str| name.chars().all(|c| c.is_alphanumeric() || c == '_');
    let answer = match names.filter(|names| names.iter().all(simple)) {
        Some(names) => names
            .into_iter()
            .rev()
            .fold(item, |inner, name| Value::Object(Map::from_iter([(name.to_owned(), inner)]))),
        None => item,
    };
    match translate::done(&answer, operation, Some(pick)).report {
        Report::Done(result) => result,
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_adopted_looks_like_the_answer() {
        let operation: Operation =
            serde_yaml::from_str("title: t\nsummary: s\nkinds: [action]\nresult: [$.data.contact]").unwrap();
        let item = json!({ "id": "c1" });
        assert_eq!(adopted(&operation, item.clone(), None), item);
        assert_eq!(adopted(&operation, item.clone(), Some("$")), json!({ "data": { "contact": item } }));
        assert_eq!(adopted(&operation, item.clone(), Some("$.data.contact.id")), json!("c1"));
        assert_eq!(adopted(&operation, item, Some("$.new")), json!(null));
    }
}
