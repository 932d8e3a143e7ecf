//! Looks into a step in doubt: asks the API whether it happened.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::act::{Surroundings, call_options, connection};
use super::translate;
use crate::catalog::Operation;
use crate::connection::Connection;
use crate::request::paging::{self, Page, Rounds};
use crate::request::{Answer, Outcome, complete, list};
use crate::run::probe::{self, Search, Sighting};
use crate::run::{Finding, Probe, Report};

/// Most pages of a list that are searched: what may stand on a later one is a person's to find.
const MOST_PAGES: u64 = 20;

/// What can be found out about `doubt`.
pub(super) async fn look(around: &Surroundings<'_>, doubt: &Probe) -> Finding {
    match sighting(around, doubt).await {
        Ok(Sighting::Found(item)) => {
            Finding::Happened(adopted(&doubt.operation, item, doubt.pick.as_deref()))
        }
        Ok(Sighting::Absent) => Finding::DidNotHappen,
        Ok(Sighting::Unclear(reason)) => {
            Finding::Unclear { reason: format!("step `{}` may have happened: {reason}", doubt.step) }
        }
        Err(later) => later,
    }
}

/// What the list shows that the probe reads, or when to ask again.
async fn sighting(around: &Surroundings<'_>, doubt: &Probe) -> Result<Sighting, Finding> {
    let unclear = |reason: String| Ok(Sighting::Unclear(reason));
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
    let reading = Reading { around, read, connection: &connection, inputs: probe::inputs(data, &sent) };
    match Search::new(data, &sent, doubt.sent) {
        Ok(search) => reading.search(search).await,
        Err(reason) => unclear(reason),
    }
}

/// The reading of the list.
struct Reading<'a> {
    around: &'a Surroundings<'a>,
    read: &'a Arc<Operation>,
    connection: &'a Connection,
    inputs: Map<String, Value>,
}

/// Why a page was not read.
enum NotRead {
    Unclear(String),
    Later(Finding),
}

impl Reading<'_> {
    /// Page after page until one tells.
    async fn search(&self, mut search: Search<'_>) -> Result<Sighting, Finding> {
        let paging = self.read.list.as_ref().map(|list| &list.paging);
        let mut at = paging.map(paging::first).unwrap_or_default();
        let mut rounds = Rounds::default();
        for number in 1..=MOST_PAGES {
            let answer = match self.ask(&at).await {
                Ok(answer) => answer,
                Err(NotRead::Unclear(reason)) => return Ok(Sighting::Unclear(reason)),
                Err(NotRead::Later(later)) => return Err(later),
            };
            let Some(items) = probe::items(self.read, &answer.body) else {
                return Ok(Sighting::Unclear(format!("the answer of `{}` holds no list", self.read.id)));
            };
            if let Some(sighting) = search.page(&items) {
                return Ok(sighting);
            }
            match self.next(&mut rounds, &at, &answer, &items, number) {
                Ok(Some(next)) => at = next,
                Ok(None) => return Ok(search.end()),
                Err(error) => return Ok(Sighting::Unclear(error.to_string())),
            }
        }
        Ok(Sighting::Unclear(format!(
            "it is not on the first {MOST_PAGES} pages of `{}`, and there are more",
            self.read.id
        )))
    }

    /// Inputs for the page after page `number`, which was asked for with `at`.
    fn next(
        &self,
        rounds: &mut Rounds,
        at: &Map<String, Value>,
        answer: &Answer,
        items: &[Value],
        number: u64,
    ) -> Result<Option<Map<String, Value>>, paging::Error> {
        let Some(listing) = &self.read.list else { return Ok(None) };
        let link = answer.headers.get("link").map(String::as_str);
        let page = Page { answer: &answer.body, link, items, number };
        let next = paging::next(self.read, &listing.paging, at, page)?;
        let records: Vec<String> = items.iter().map(Value::to_string).collect();
        rounds.check(&self.read.id, at, number, &records, next.as_ref())?;
        Ok(next)
    }

    async fn ask(&self, page: &Map<String, Value>) -> Result<Answer, NotRead> {
        let Self { around, read, connection, .. } = self;
        let mut inputs = self.inputs.clone();
        inputs.extend(page.clone());
        let client = &around.world.client;
        let called = client.call(around.catalog, read, &inputs, connection, &call_options(around)).await;
        let later = |wait, reason| Err(NotRead::Later(Finding::Later { wait, reason }));
        match called {
            Ok(Outcome::Ok(answer)) => Ok(answer),
            Ok(Outcome::RateLimited { retry_after }) => {
                later(retry_after, "rate limited by the server".to_owned())
            }
            Ok(Outcome::Held { wait, reason }) => later(wait, reason),
            Ok(Outcome::Unauthorized { wait, reason, .. }) => later(around.hold(wait), reason),
            Ok(Outcome::TryAgain { reason, retry_after, .. }) => {
                later(retry_after.unwrap_or_default(), reason)
            }
            Ok(Outcome::Refused(refusal)) => {
                Err(NotRead::Unclear(format!("`{}` was refused: {}", read.id, refusal.message)))
            }
            Ok(Outcome::InDoubt { reason, .. }) => Err(NotRead::Unclear(reason)),
            Err(problems) => Err(NotRead::Unclear(format!(
                "`{}`, which could tell, cannot be sent: {}",
                read.id,
                list(&problems)
            ))),
        }
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
