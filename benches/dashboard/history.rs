//! A store with a history: customers whose records several recipes write, some failures of few causes, few parked runs.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use hob::catalog::Catalog;
use hob::clock::Clock;
use hob::event::{DedupKey, Event, EventId, Source};
use hob::journal::{Access, Batch, Journal, LeasedRun, NewRun, Queries, RunFilter, RunUpdate, Slots, Sqlite};
use hob::overview::Identifiers;
use hob::run::{Entry, RunId, RunState, StampedEntry, StepError, StepKey, Write};
use serde_json::{Map, json};
use tokio::task::JoinSet;

use crate::Result;

/// The recipes of the history.
pub const RECIPES: [&str; 8] = [
    "clients-to-contacts",
    "tag-new-clients",
    "won-deals",
    "missed-sessions",
    "invoices-paid",
    "birthday-notes",
    "coach-tasks",
    "reviews",
];
/// The recipe whose runs go on meanwhile.
pub const LIVE_RECIPE: &str = "name: bench
trigger: { webhook: /in, verify: none, id: $.number }
actions:
  - { do: sink.things.put, with: { id: \"{{ event.id }}\", name: \"{{ event.email }}\" } }
";
/// Events in a batch, and runs in a lease.
const CHUNK: u64 = 1_000;
/// Events of a customer.
const EVENTS_PER_CUSTOMER: u64 = 20;
/// Time between two events: 10 million lie within 20 days.
const PACE: TimeDelta = TimeDelta::milliseconds(170);
const LEASE: Duration = Duration::from_secs(3600);

/// The text of a recipe of the history. Nothing reaches it.
pub fn recipe(name: &str) -> String {
    format!(
        "name: {name}
trigger: {{ webhook: /{name}, verify: none, id: $.number }}
actions:
  - {{ id: read, do: sink.things.get, with: {{ id: \"{{{{ event.id }}}}\" }} }}
  - {{ id: write, do: sink.things.put, with: {{ id: \"{{{{ steps.read.id }}}}\", name: \"{{{{ event.email }}}}\" }} }}
"
    )
}

/// The record of a customer.
pub fn record(customer: u64) -> String {
    format!("cl-{customer:08x}")
}

/// The e-mail address of a customer.
pub fn email(customer: u64) -> String {
    format!("customer-{customer}@example.com")
}

/// Fills the store up to `count` runs.
pub async fn fill(path: &Path, count: u64) -> Result<()> {
    let journal = Arc::new(Sqlite::open(path, Access::Runner)?);
    let newest = journal.runs(&RunFilter { limit: Some(1), ..RunFilter::default() }).await?;
    if newest.is_empty() {
        let start = Instant::now();
        let begin = Clock::system().now() - PACE * i32::try_from(count)?;
        let identifiers = Identifiers::of(&Catalog::built_in());
        for chunk in (0..count).step_by(usize::try_from(CHUNK)?) {
            append(&journal, begin, chunk..(chunk + CHUNK).min(count)).await?;
            while identifiers.index_some(journal.as_ref(), usize::try_from(CHUNK)? * 2).await? {}
            if chunk % 100_000 == 0 {
                eprintln!("{chunk} of {count} runs stored after {:.0} s", start.elapsed().as_secs_f64());
            }
        }
    }
    journal.close().await;
    println!("store: {} MB", std::fs::metadata(path)?.len() / 1_000_000);
    Ok(())
}

async fn append(journal: &Arc<Sqlite>, begin: DateTime<Utc>, numbers: std::ops::Range<u64>) -> Result<()> {
    let events = numbers.clone().map(|number| event(number, received(begin, number))).collect();
    journal.append(Batch { events, progress: None }).await?;
    let now = received(begin, numbers.end);
    let mut records = JoinSet::new();
    for run in journal.lease("bench", Slots::any(usize::try_from(CHUNK)?), now, LEASE).await? {
        let journal = Arc::clone(journal);
        records.spawn(async move { end(&journal, &run).await });
    }
    while let Some(record) = records.join_next().await {
        record??;
    }
    Ok(())
}

fn received(begin: DateTime<Utc>, number: u64) -> DateTime<Utc> {
    begin + PACE * i32::try_from(number).unwrap_or(i32::MAX)
}

fn event(number: u64, received: DateTime<Utc>) -> (Event, Vec<NewRun>) {
    let recipe = RECIPES[usize::try_from(number % 8).unwrap_or_default()];
    let customer = number / EVENTS_PER_CUSTOMER;
    let run = NewRun {
        id: RunId::new(),
        recipe: recipe.to_owned(),
        accounts: [("sink".to_owned(), "sink".to_owned())].into_iter().collect(),
        lane: format!("{number}"),
        coalesce: None,
    };
    let event = Event {
        id: EventId::new(),
        source: Source::Path(format!("/{recipe}")),
        kind: "webhook".into(),
        connection: None,
        record: Some(record(customer)),
        dedup: DedupKey(number.to_string()),
        received,
        payload: json!({
            "number": number, "id": record(customer), "email": email(customer), "firstName": "Ada",
            "lastName": "Example", "tags": ["client", "spring"], "note": "something of a usual length",
        }),
    };
    (event, vec![run])
}

/// Ends a run: one in a thousand failed for one of four reasons, one in a hundred thousand is parked.
async fn end(journal: &Sqlite, run: &LeasedRun) -> Result<()> {
    let number: u64 = run.run.lane.parse()?;
    let at = run.event.received + TimeDelta::milliseconds(200 + i64::try_from(number % 400)?);
    let key = |action: &str| StepKey { action: action.to_owned(), item: None };
    let entry = |entry| StampedEntry::new(at, entry);
    let (record, email) = (run.event.record.clone().unwrap_or_default(), &run.event.payload["email"]);
    let inputs = json!({ "id": record, "name": email });
    let mut entries = vec![
        entry(Entry::Started { version: "0000000000000000".to_owned(), vars: Map::new() }),
        entry(Entry::StepSucceeded {
            step: key("read"),
            attempt: 1,
            result: Arc::new(json!({ "id": record, "name": "before", "city": "Berlin" })),
            known_by: None,
            truncated: false,
        }),
        entry(Entry::Intent {
            step: key("write"),
            attempt: 1,
            operation: "sink.things.put".to_owned(),
            inputs: inputs.clone(),
        }),
    ];
    let mut update = RunUpdate::new(RunState::Succeeded, at);
    update.version = Some("0000000000000000".to_owned());
    if number % 1_000 == 7 {
        let reason = [
            "400 Bad Request: the stage `Won` is gone",
            "422 Unprocessable Entity: email is not valid",
            "404 Not Found: no such thing",
            "401 Unauthorized: the token is not valid",
        ];
        let reason = reason[usize::try_from(number / 1_000 % 4)?];
        let error = StepError::new(reason);
        entries.push(entry(Entry::StepFailed {
            step: key("write"),
            attempt: 1,
            error,
            retry_at: None,
            lost: false,
            read: None,
        }));
        update.state = RunState::Failed;
        update.error = Some(format!("step `write`: {reason}"));
    } else if number % 100_000 == 11 {
        update.state = RunState::Parked;
        update.error =
            Some("step `write`: the answer was lost, and nobody knows whether it happened".to_owned());
    } else {
        let result = Arc::new(json!({ "id": record, "name": email }));
        entries.push(entry(Entry::StepSucceeded {
            step: key("write"),
            attempt: 1,
            result,
            known_by: None,
            truncated: false,
        }));
        update.writes = vec![Write {
            connection: "sink".to_owned(),
            record,
            operation: "sink.things.put".to_owned(),
            fields: json!({ "name": email }),
            origin: None,
        }];
    }
    Ok(journal.record(&run.lease, entries, update).await?)
}
