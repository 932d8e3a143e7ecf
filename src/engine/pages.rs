//! Lists that steps read: all pages if the recipe asks for them, otherwise with a remark about what is missing.

use std::time::Duration;

use serde_json::{Map, Value};

use super::step_context::StepContext;
use super::step_outcome::{StepOutcome, outcome_of, told, unusable};
use crate::catalog::{Listing, Operation, path};
use crate::connection::Connection;
use crate::request::paging::{self, More, Page, Rounds};
use crate::request::{Answer, CallOptions, Outcome, take_result};
use crate::run::{StepCall, StepError, StepResult};
use crate::value::Backoff;

/// Most records that a step reads: its result is held in memory and stored in the history.
const MAX_RECORDS: usize = 10_000;
/// Most bytes of records, as JSON.
const MAX_BYTES: usize = 16 << 20;
/// Longest wait between two pages; beyond it the run is requeued and reads from the start.
const MAX_BUDGET_WAIT: Duration = Duration::from_secs(60);
/// Attempts for one page.
const MAX_ATTEMPTS: u32 = 3;
/// Delays between them.
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(500), MAX_BUDGET_WAIT);

/// A remark about the rest of the list that `answer` is a page of; `None` if it is complete.
pub(super) fn more(operation: &Operation, inputs: &Map<String, Value>, answer: &Answer) -> Option<String> {
    let listing = operation.list.as_ref()?;
    let items = paging::items(operation, listing, &answer.body).ok()?;
    let link = answer.headers.get("link").map(String::as_str);
    let page = Page { answer: &answer.body, link, items: &items, number: 1 };
    let rest = match paging::more(operation, &listing.paging, inputs, page) {
        More::None => return None,
        More::Some { total: Some(total) } => format!("of {total}"),
        More::Some { total: None } => "and there are more".to_owned(),
        More::Unknown => "and there may be more".to_owned(),
    };
    let count = items.len();
    Some(format!("`{}` answered {count} records {rest}: `pages: all` reads them all", operation.id))
}

/// Reads all pages: the result is the first answer with the items of all pages.
pub(super) async fn read(
    context: &StepContext<'_>,
    call: &StepCall,
    connection: &Connection,
    options: CallOptions,
) -> StepOutcome {
    let operation = &call.operation;
    let Some(listing) = &operation.list else {
        let message = format!("`{}` is no list that could be read page by page", operation.id);
        return StepResult::Refused(StepError::new(message)).into();
    };
    let options = CallOptions { max_wait: MAX_BUDGET_WAIT, ..options };
    let mut list = List::new(operation, listing);
    let mut at = paging::first(&listing.paging);
    let mut rounds = Rounds::default();
    for number in 1.. {
        let answer = match page(context, call, connection, &options, &at).await {
            Ok(answer) => answer,
            Err(PageFailure::NotFound(_)) if list.has_ended(&at) => break,
            Err(PageFailure::NotFound(told) | PageFailure::StepOutcome(told)) => return told,
        };
        match list.take(answer, &at, number, &mut rounds) {
            Ok(Some(next)) => at = next,
            Ok(None) => break,
            Err(message) => return StepResult::Refused(StepError::new(message)).into(),
        }
    }
    match list.whole() {
        Ok(body) => told(take_result(operation, body, call.pick.as_deref())),
        Err(message) => StepResult::Refused(StepError::new(message)).into(),
    }
}

/// The pages read so far.
struct List<'a> {
    operation: &'a Operation,
    listing: &'a Listing,
    /// The first answer.
    first: Option<Value>,
    items: Vec<Value>,
    pages: u64,
    bytes: usize,
    /// The last page was a short one of a list with page numbers.
    may_be_over: bool,
}

impl<'a> List<'a> {
    fn new(operation: &'a Operation, listing: &'a Listing) -> Self {
        Self { operation, listing, first: None, items: Vec::new(), pages: 0, bytes: 0, may_be_over: false }
    }

    /// Adds a page; returns the inputs for the next one.
    fn take(
        &mut self,
        answer: Answer,
        at: &Map<String, Value>,
        number: u64,
        rounds: &mut Rounds,
    ) -> Result<Option<Map<String, Value>>, String> {
        let (operation, paging) = (self.operation, &self.listing.paging);
        let items = paging::items(operation, self.listing, &answer.body).map_err(|e| e.to_string())?;
        let link = answer.headers.get("link").map(String::as_str);
        let page = Page { answer: &answer.body, link, items: &items, number };
        let next = paging::next(operation, paging, at, page).map_err(|error| error.to_string())?;
        let texts: Vec<String> = items.iter().map(Value::to_string).collect();
        rounds.check(&operation.id, at, number, &texts, next.as_ref()).map_err(|error| error.to_string())?;
        self.pages += 1;
        self.may_be_over = paging::may_be_last(paging, items.len());
        self.bytes += texts.iter().map(String::len).sum::<usize>();
        self.items.extend(items);
        self.first.get_or_insert(answer.body);
        let (count, megabytes) = (self.items.len(), MAX_BYTES >> 20);
        if count > MAX_RECORDS || self.bytes > MAX_BYTES {
            return Err(format!(
                "the list of `{}` is longer than a step reads ({MAX_RECORDS} records or {megabytes} MiB): narrow it \
                 by its inputs, or let a recipe poll it with `start: all`, one run for each record",
                operation.id
            ));
        }
        Ok(next)
    }

    /// Whether a 404 for the page `at` means that the list has ended before it.
    fn has_ended(&self, at: &Map<String, Value>) -> bool {
        self.may_be_over || paging::ends_with_not_found(&self.listing.paging, at)
    }

    /// The first answer with the items of all pages.
    fn whole(self) -> Result<Value, String> {
        let mut body = self.first.unwrap_or_default();
        // One page is the whole list, wherever its items stand.
        if self.pages == 1 {
            return Ok(body);
        }
        let place = self
            .listing
            .items
            .iter()
            .find(|path| path::read_items(&body, std::slice::from_ref(path)).is_some());
        let pointer = place.map_or(Some(String::new()), |path| path::pointer(path.trim_end_matches("[*]")));
        match pointer.as_deref().and_then(|pointer| body.pointer_mut(pointer)) {
            // A single record counts as a list of one.
            Some(Value::Object(_)) => {}
            Some(list) => *list = Value::Array(self.items),
            None => {
                let id = &self.operation.id;
                return Err(format!("`list.items` of `{id}` names no place that could hold the whole list"));
            }
        }
        Ok(body)
    }
}

/// Why a page was not read.
enum PageFailure {
    /// 404.
    NotFound(StepOutcome),
    StepOutcome(StepOutcome),
}

/// Requests a page, with retries while they make sense.
async fn page(
    context: &StepContext<'_>,
    call: &StepCall,
    connection: &Connection,
    options: &CallOptions,
    at: &Map<String, Value>,
) -> Result<Answer, PageFailure> {
    let StepCall { operation, .. } = call;
    let mut inputs = call.inputs.clone();
    inputs.extend(at.clone());
    let (mut tries, mut waited) = (0, Duration::ZERO);
    loop {
        let client = &context.services.client;
        let outcome = match client.call(context.catalog, operation, &inputs, connection, options).await {
            Ok(outcome) => outcome,
            Err(problems) => return Err(PageFailure::StepOutcome(unusable(&operation.id, &problems).into())),
        };
        let pause = match &outcome {
            Outcome::RateLimited { retry_after: wait } | Outcome::Held { wait, .. } => {
                waited += *wait;
                (waited <= MAX_BUDGET_WAIT).then_some(*wait)
            }
            Outcome::TryAgain { .. } | Outcome::InDoubt { .. } => {
                tries += 1;
                (tries < MAX_ATTEMPTS).then(|| BACKOFF.pause(tries))
            }
            _ => None,
        };
        match (outcome, pause) {
            (Outcome::Ok(answer), _) => return Ok(answer),
            (_, Some(pause)) => tokio::time::sleep(pause.max(Duration::from_millis(50))).await,
            (outcome, None) => {
                let missing = matches!(&outcome, Outcome::Refused(refusal) if refusal.status == Some(404));
                let told = outcome_of(outcome, operation, call.pick.as_deref());
                return Err(if missing {
                    PageFailure::NotFound(told)
                } else {
                    PageFailure::StepOutcome(told)
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Whether a list with this paging has ended if the page after those with so many items is not found.
    fn ends_after(paging: &str, pages: &[usize]) -> bool {
        let text = format!(
            "{{ title: t, summary: s, kinds: [action], method: GET, path: /x, effect: read, parameters: {{ page: {{ in: query, \
             shape: {{ type: integer }} }} }}, list: {{ items: ['$[*]'], id: [id], paging: {paging} }} }}"
        );
        let operation = Operation { id: "x.list".to_owned(), ..serde_yaml::from_str(&text).unwrap() };
        let listing = operation.list.clone().unwrap();
        let mut list = List::new(&operation, &listing);
        let (mut at, mut rounds, mut id) = (paging::first(&listing.paging), Rounds::default(), 0);
        for (number, count) in (1..).zip(pages) {
            let items: Vec<Value> = (id..id + count).map(|id| json!({ "id": id })).collect();
            id += count;
            let (headers, received) = Default::default();
            let answer = Answer { status: 200, headers, body: items.into(), received };
            at = list.take(answer, &at, number, &mut rounds).unwrap().unwrap();
        }
        list.has_ended(&at)
    }

    #[test]
    fn a_list_of_one_page_stays_as_it_is_answered() {
        let text = "{ title: t, summary: s, kinds: [action], method: GET, path: /x, effect: read, list: { items: ['$.*.slots[*]'] } }";
        let operation = Operation { id: "x.list".to_owned(), ..serde_yaml::from_str(text).unwrap() };
        let listing = operation.list.clone().unwrap();
        let mut list = List::new(&operation, &listing);
        let body = json!({ "monday": { "slots": ["9:00"] }, "tuesday": { "slots": [] } });
        let (headers, received) = Default::default();
        let answer = Answer { status: 200, headers, body: body.clone(), received };
        let at = paging::first(&listing.paging);
        assert_eq!(list.take(answer, &at, 1, &mut Rounds::default()), Ok(None));
        assert_eq!(list.whole(), Ok(body));
    }

    #[test]
    fn a_404_after_a_full_page_ends_a_list_only_where_the_connector_says_so() {
        let plain = "{ style: page, page: page, size: 2 }";
        assert!(ends_after(plain, &[2, 1]) && !ends_after(plain, &[2, 2]));
        assert!(!ends_after(plain, &[]), "the first page");
        let strict = "{ style: page, page: page, size: 2, not_found_ends: true }";
        assert!(ends_after(strict, &[2, 2]) && !ends_after(strict, &[]));
    }
}
