//! Probes a step in doubt: asks the API whether it was carried out.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use serde_json::{Map, Value};

use super::known_records::{KnownRecords, KnownResults};
use super::step_context::StepContext;
use super::step_outcome;
use crate::catalog::{Operation, ProbeById, path};
use crate::connection::Connection;
use crate::journal;
use crate::request::paging::{self, Page, Rounds};
use crate::request::{Answer, Outcome, complete, list};
use crate::run::probe::{self, Search, SearchOutcome, Window};
use crate::run::{Finding, Probe, RunId, ShownRecord, StepResult, item_id};

/// Delay before asking again while another step may have created the record.
const BUSY: Duration = Duration::from_secs(1);

/// Most pages of a list that are searched. A person has to look at the rest.
const MAX_PAGES: u64 = 20;

/// The result of a probe.
pub(super) struct ProbeResult {
    pub(super) finding: Finding,
    /// The record that the step is assumed to have created.
    pub(super) shown: ShownRecord,
    /// A remark for the history.
    pub(super) remark: Option<String>,
}

impl From<Finding> for ProbeResult {
    fn from(finding: Finding) -> Self {
        Self { finding, shown: ShownRecord::default(), remark: None }
    }
}

/// Probes `doubt`, a step of the run `run`.
pub(super) async fn run_probe(context: &StepContext<'_>, run: &RunId, doubt: &Probe) -> ProbeResult {
    let (item, remark) = match search(context, run, doubt).await {
        Ok(SearchOutcome::Found(item)) => (item, None),
        Ok(SearchOutcome::Taken(item, reason)) => (item, Some(format!("{}: {reason}", doubt.step))),
        Ok(SearchOutcome::Absent) => return not_there(context, doubt, Finding::DidNotHappen).into(),
        Ok(SearchOutcome::Unclear(reason)) => {
            let reason = format!("step `{}` may have happened: {reason}", doubt.step);
            return not_there(context, doubt, Finding::Unclear { reason }).into();
        }
        Ok(SearchOutcome::Busy(reason)) => return Finding::Later { wait: BUSY, reason }.into(),
        Err(later) => return later.into(),
    };
    let shown = ShownRecord { id: item_id(&item), record: item.clone() };
    let finding = Finding::Happened(result_from_record(&doubt.operation, item, doubt.pick.as_deref()));
    ProbeResult { finding, shown, remark }
}

/// `finding`, unless the list may lag and show more later.
fn not_there(context: &StepContext<'_>, doubt: &Probe, finding: Finding) -> Finding {
    let shown = doubt.shown;
    let by_id = doubt.operation.probe.as_ref().is_some_and(|probe| probe.by_id.is_some());
    if context.services.clock.now() >= shown || doubt.existing.is_some() && by_id {
        return finding;
    }
    Finding::NotYet {
        shown,
        reason: "its answer is lost, and it is not in the list, which may lag".to_owned(),
    }
}

/// What the API shows, or when to ask again.
async fn search(context: &StepContext<'_>, run: &RunId, doubt: &Probe) -> Result<SearchOutcome, Finding> {
    let unclear = |reason: String| Ok(SearchOutcome::Unclear(reason));
    let Some(data) = &doubt.operation.probe else { return unclear("hob has no way to find out".into()) };
    let Some(read) = context.catalog.sibling(&doubt.operation, &data.operation) else {
        return unclear(format!("`{}`, which could tell, is not in the catalog", data.operation));
    };
    let connection = match context.connection(&doubt.operation, doubt.connection.as_deref()) {
        Ok(connection) => connection,
        Err(reason) => return unclear(reason),
    };
    // The request also contained the connection's values.
    let sent =
        complete(&doubt.operation, &doubt.inputs, Some(&connection)).unwrap_or_else(|_| doubt.inputs.clone());
    let window = Window { sent: doubt.sent, missed: doubt.missed };
    let mut search = match Search::new(data, &sent, window) {
        Ok(search) => search.only(doubt.existing.as_deref()),
        Err(reason) => return unclear(reason),
    };
    let reading = Reading { context, read, connection: &connection, inputs: probe::inputs(data, &sent) };
    let read = match (&doubt.existing, &data.by_id) {
        (Some(id), Some(by_id)) => reading.by_id(by_id, id, &mut search).await,
        _ => reading.pages(&mut search).await,
    };
    match read {
        Ok(()) => {}
        Err(ReadFailure::Unclear(reason)) => return unclear(reason),
        Err(ReadFailure::Later(later)) => return Err(later),
    }
    let known = KnownRecords { context, connection: &connection, run, doubt };
    // In this order: other steps recorded their intent before the list was read, and once one is no rival any more,
    // its result is known.
    let rivals = known.rivals().await.map_err(|error| away(&error))?;
    match known.known_results(&search.ids()).await.map_err(|error| away(&error))? {
        KnownResults { theirs, unclear: None } => search.leave_out(&theirs),
        KnownResults { unclear: Some(reason), .. } => return unclear(reason),
    }
    Ok(search.end(data, &rivals))
}

fn away(error: &journal::Error) -> Finding {
    Finding::Later { wait: BUSY, reason: error.to_string() }
}

/// The state of reading the list.
struct Reading<'a> {
    context: &'a StepContext<'a>,
    read: &'a Arc<Operation>,
    connection: &'a Connection,
    inputs: Map<String, Value>,
}

/// Why a page was not read.
enum ReadFailure {
    Unclear(String),
    Later(Finding),
}

impl Reading<'_> {
    /// Reads page by page.
    async fn pages(&self, search: &mut Search<'_>) -> Result<(), ReadFailure> {
        let paging = self.read.list.as_ref().map(|list| &list.paging);
        let mut at = paging.map(paging::first).unwrap_or_default();
        let mut rounds = Rounds::default();
        for number in 1..=MAX_PAGES {
            let mut inputs = self.inputs.clone();
            inputs.extend(at.clone());
            let answer = self.ask(self.read, &inputs).await?;
            let Some(items) = probe::items(self.read, &answer.body) else {
                return Err(ReadFailure::Unclear(format!("the answer of `{}` holds no list", self.read.id)));
            };
            self.see(&answer, &items, search);
            match self.next(&mut rounds, &at, &answer, &items, number) {
                Ok(Some(next)) => at = next,
                Ok(None) => return Ok(()),
                Err(error) => return Err(ReadFailure::Unclear(error.to_string())),
            }
        }
        if search.has_found() {
            return Ok(());
        }
        Err(ReadFailure::Unclear(format!(
            "it is not on the first {MAX_PAGES} pages of `{}`, and there are more",
            self.read.id
        )))
    }

    /// Reads the record that the API named.
    async fn by_id(&self, by_id: &ProbeById, id: &str, search: &mut Search<'_>) -> Result<(), ReadFailure> {
        let Some(read) = self.context.catalog.sibling(self.read, &by_id.operation) else {
            let reason = format!("`{}`, which could tell, is not in the catalog", by_id.operation);
            return Err(ReadFailure::Unclear(reason));
        };
        let inputs = Map::from_iter([(by_id.id.clone(), Value::from(id))]);
        let answer = self.ask(read, &inputs).await?;
        let items: Vec<Value> = path::read_first(&answer.body, &read.result).into_iter().collect();
        self.see(&answer, &items, search);
        Ok(())
    }

    fn see(&self, answer: &Answer, items: &[Value], search: &mut Search<'_>) {
        if let Some(ahead) = server_is_ahead(answer, self.context.services.clock.ahead()) {
            search.server_is_ahead(ahead);
        }
        search.page(items);
    }

    /// The inputs for the page after `number`, which was requested with `at`.
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

    async fn ask(&self, read: &Arc<Operation>, inputs: &Map<String, Value>) -> Result<Answer, ReadFailure> {
        let Self { context, connection, .. } = self;
        let client = &context.services.client;
        let called = client.call(context.catalog, read, inputs, connection, &context.call_options()).await;
        let later = |wait, reason| Err(ReadFailure::Later(Finding::Later { wait, reason }));
        match called {
            Ok(Outcome::Ok(answer)) => Ok(answer),
            Ok(Outcome::RateLimited { retry_after }) => {
                later(retry_after, "rate limited by the server".to_owned())
            }
            Ok(Outcome::Held { wait, reason, .. }) => later(wait, reason),
            Ok(Outcome::Unauthorized { wait, reason, .. }) => later(context.hold(wait), reason),
            Ok(Outcome::TryAgain { reason, retry_after, .. }) => {
                later(retry_after.unwrap_or_default(), reason)
            }
            Ok(Outcome::Refused(refusal)) => {
                Err(ReadFailure::Unclear(format!("`{}` was refused: {}", read.id, refusal.message)))
            }
            Ok(Outcome::InDoubt { reason, .. }) => Err(ReadFailure::Unclear(reason)),
            Err(problems) => Err(ReadFailure::Unclear(format!(
                "`{}`, which could tell, cannot be sent: {}",
                read.id,
                list(&problems)
            ))),
        }
    }
}

/// How far the server's clock is ahead of the wall clock, from the `Date` of an answer that was not cached.
fn server_is_ahead(answer: &Answer, ours: TimeDelta) -> Option<TimeDelta> {
    if answer.headers.contains_key("age") {
        return None;
    }
    let told = DateTime::parse_from_rfc2822(answer.headers.get("date")?).ok()?;
    Some(told.to_utc().signed_duration_since(answer.received) + ours)
}

/// The result for later steps, made from the record that was found: in the form of the operation's answer.
fn result_from_record(operation: &Operation, item: Value, pick: Option<&str>) -> Value {
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
    match step_outcome::done(&answer, operation, Some(pick)).step_result {
        StepResult::Done(result) => result,
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_adopted_record_has_the_form_of_the_answer() {
        let operation: Operation =
            serde_yaml::from_str("title: t\nsummary: s\nkinds: [action]\nresult: [$.data.contact]").unwrap();
        let item = json!({ "id": "c1" });
        assert_eq!(result_from_record(&operation, item.clone(), None), item);
        assert_eq!(
            result_from_record(&operation, item.clone(), Some("$")),
            json!({ "data": { "contact": item } })
        );
        assert_eq!(result_from_record(&operation, item.clone(), Some("$.data.contact.id")), json!("c1"));
        assert_eq!(result_from_record(&operation, item, Some("$.new")), json!(null));
    }
}
