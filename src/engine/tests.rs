use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};
use tokio::sync::Notify;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::clock::Clock;
use crate::connection::{BudgetSettings, Connection, Credential, Rate, Setup};
use crate::event::DedupKey;
use crate::journal::{Access, Batch, Journal, NewRun, Queries, RunFilter, RunRow, Slots, Sqlite};
use crate::request::{Client, ClientSettings};
use crate::run::testing::{catalog, event, recipe};
use crate::run::{Accounts, Entry, RunId, RunState, StampedEntry};
use crate::secret::{Redactor, Secret};
use crate::services::Services;

mod interrupted;
mod pauses;
mod sync_simulation;

/// A store in a folder, a server, and engines started as needed.
struct TestBed {
    folder: tempfile::TempDir,
    server: MockServer,
    recipes: RecipeVersions,
    burst: Option<Rate>,
}

impl TestBed {
    async fn new(lines: &str) -> Self {
        let recipes = RecipeVersions::new([recipe(lines)]);
        Self { folder: tempfile::tempdir().unwrap(), server: MockServer::start().await, recipes, burst: None }
    }

    async fn on(self, verb: &str, at: &str, answer: ResponseTemplate) -> Self {
        Mock::given(method(verb)).and(path(at)).respond_with(answer).mount(&self.server).await;
        self
    }

    fn store(&self) -> Arc<Sqlite> {
        Arc::new(Sqlite::open(&self.folder.path().join("hob.db"), Access::Runner).unwrap())
    }

    fn engine(&self, journal: Arc<dyn Journal>, options: Options) -> Engine {
        self.engine_by(Clock::system(), journal, options)
    }

    fn engine_by(&self, clock: Clock, journal: Arc<dyn Journal>, options: Options) -> Engine {
        let connector = Arc::clone(catalog().connector("x").unwrap());
        let setup = Setup {
            base_url: Some(self.server.uri()),
            credential: Credential::Bearer(Secret::new("token-abc")),
            budget: BudgetSettings { burst: self.burst, daily: None },
            ..Setup::default()
        };
        let connection = Connection::new("acme", connector, setup).unwrap();
        let secret = Secret::new("k3y-secret");
        let services = Services {
            journal,
            connections: Arc::new(IndexMap::from([("acme".to_owned(), Arc::new(connection))])),
            client: Client::new(ClientSettings::default(), Clock::system()).unwrap(),
            clock,
            env: Arc::new(Map::from_iter([("KEY".to_owned(), json!("k3y-secret"))])),
            redactor: Arc::new(Redactor::new([secret])),
        };
        Engine::new(services, self.recipes.clone(), options)
    }

    /// Runs the events with `payloads` until idle.
    async fn run(&self, payloads: &[Value], options: Options) -> (Arc<Sqlite>, Idle) {
        let journal = self.store();
        add(journal.as_ref(), payloads).await;
        let engine = self.engine(Arc::<Sqlite>::clone(&journal), options);
        let idle = engine.run_until_idle().await.unwrap();
        (journal, idle)
    }

    async fn requests(&self) -> Vec<String> {
        let all = self.server.received_requests().await.unwrap();
        all.iter().map(|request| format!("{} {}", request.method, request.url.path())).collect()
    }
}

async fn add(journal: &dyn Journal, payloads: &[Value]) {
    let mut batch = Batch::default();
    for (index, payload) in payloads.iter().enumerate() {
        let mut event = event(payload.clone());
        event.id = crate::event::EventId::new();
        event.dedup = DedupKey(index.to_string());
        event.record = Some(format!("rec-{index}"));
        let run = NewRun {
            id: RunId::new(),
            recipe: "r".into(),
            accounts: Accounts::from([("x".to_owned(), "acme".to_owned())]),
            lane: payload["lane"].as_str().map_or_else(|| format!("lane-{index}"), str::to_owned),
            coalesce: None,
        };
        batch.events.push((event, vec![run]));
    }
    journal.append(batch).await.unwrap();
}

async fn rows(journal: &dyn Journal) -> Vec<RunRow> {
    journal.runs(&RunFilter::default()).await.unwrap()
}

/// The only run: its row and its history.
async fn only(journal: &dyn Journal) -> (RunRow, Vec<StampedEntry>) {
    let row = rows(journal).await.remove(0);
    let detail = journal.run(&row.id).await.unwrap().unwrap();
    (row, detail.entries)
}

fn kinds(history: &[StampedEntry]) -> Vec<String> {
    let kind =
        |stamped: &StampedEntry| serde_json::to_value(stamped).unwrap()["entry"].as_str().unwrap().to_owned();
    history.iter().map(kind).collect()
}

fn ok(body: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

/// An answer that is sent when the sender fires, and a notification of the request's arrival.
fn held(answer: ResponseTemplate) -> (impl wiremock::Respond, Arc<Notify>, mpsc::SyncSender<()>) {
    let ((go, told), reached) = (mpsc::sync_channel(1), Arc::new(Notify::new()));
    let (told, arrived) = (Mutex::new(told), Arc::clone(&reached));
    let answer = move |_: &wiremock::Request| {
        arrived.notify_one();
        told.lock().unwrap().recv().unwrap();
        answer.clone()
    };
    (answer, reached, go)
}

/// Waits for nothing distant. No stall of the machine ends a lease or a grace period.
fn quick() -> Options {
    let (horizon, lease, grace) =
        (Duration::from_secs(5), Duration::from_secs(3600), Duration::from_secs(600));
    Options { horizon, lease, grace, ..Options::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_from_event_to_end() {
    let bed = TestBed::new(
        "actions:\n- { id: made, do: things.create, with: { name: '{{ event.name }}' } }\n\
         - { do: things.update, with: { id: '{{ steps.made.id }}', seen: true } }\n\
         - { do: links.save, with: { name: l, from: '{{ run.event.record }}', to: '{{ steps.made.id }}' } }\n\
         - { id: found, do: links.find, with: { name: l, to: '{{ steps.made.id }}' } }\n\
         - { do: state.put, with: { key: k, value: '{{ steps.found }}' } }\n\
         - { do: things.get, with: { id: t1 }, pick: $.nothing }\n",
    )
    .await
    .on("POST", "/things", ok(json!({ "thing": { "id": "t1" } })))
    .await
    .on("PUT", "/things/t1", ok(json!({})))
    .await
    .on("GET", "/things/t1", ok(json!({ "id": "t1" })))
    .await;
    let (journal, idle) = bed.run(&[json!({ "name": "ann" })], quick()).await;
    let (row, history) = only(journal.as_ref()).await;
    assert_eq!((row.state, idle), (RunState::Succeeded, Idle::default()), "{history:?}");
    assert_eq!(bed.requests().await, ["POST /things", "PUT /things/t1", "GET /things/t1"]);
    assert_eq!(journal.state("k").await.unwrap(), Some(json!("rec-0")));
    assert!(
        history.iter().any(|s| matches!(&s.entry, Entry::Remark { message, .. } if message.contains("pick")))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_linked_to_another_one_fails_the_step_at_once() {
    let bed = TestBed::new(
        "actions: [{ do: links.save, with: { name: l, from: '{{ event.from }}', to: t, replace: '{{ event.replace }}' }, \
         retry: { attempts: 5, backoff: 1h..2h } }]\n",
    )
    .await;
    let payload = |from: &str, replace: bool| json!({ "from": from, "replace": replace, "lane": "one" });
    let payloads = [payload("a", false), payload("a", false), payload("b", false), payload("b", true)];
    let (journal, _) = bed.run(&payloads, quick()).await;
    let rows = rows(journal.as_ref()).await;
    let states: Vec<RunState> = rows.iter().rev().map(|row| row.state).collect();
    use RunState::{Failed, Succeeded};
    assert_eq!(states, [Succeeded, Succeeded, Failed, Succeeded]);
    let error = rows[1].error.as_deref().unwrap();
    assert!(error.contains("`b` cannot be linked to `t` as `l`: `t` is linked to `a` already"), "{error}");
    let moved = journal.run(&rows[0].id).await.unwrap().unwrap().entries;
    assert!(
        moved
            .iter()
            .any(|s| matches!(&s.entry, Entry::Remark { message, .. } if message.contains("`a` to `t`")))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_runs_end_and_a_passing_failure_is_no_failure() {
    let bed = TestBed::new(
        "actions: [{ do: things.get, with: { id: a }, retry: { attempts: 5, backoff: 10ms..20ms } }]\n",
    )
    .await;
    let bad = ResponseTemplate::new(503);
    Mock::given(method("GET")).respond_with(bad).up_to_n_times(3).mount(&bed.server).await;
    let bed = bed.on("GET", "/things/a", ok(json!({}))).await;
    let payloads: Vec<Value> = (0..200).map(|n| json!({ "n": n })).collect();
    let (journal, _) = bed.run(&payloads, quick()).await;
    let rows = rows(journal.as_ref()).await;
    assert_eq!(rows.iter().filter(|row| row.state == RunState::Succeeded).count(), 200);
    assert_eq!(bed.requests().await.len(), 203);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_sends_reads_only() {
    let bed = TestBed::new(
        "actions:\n- { id: got, do: things.get, with: { id: a } }\n- { do: wait, with: { for: 1h } }\n\
         - { id: made, do: things.create, with: { name: '{{ steps.got.name }}' } }\n\
         - { do: http.request, with: { method: POST, url: 'http://127.0.0.1:9/', json: { n: '{{ steps.made.name }}' } } }\n",
    )
    .await
    .on("GET", "/things/a", ok(json!({ "name": "ann" })))
    .await;
    let (journal, _) = bed.run(&[json!({})], Options { dry_run: true, ..quick() }).await;
    let (row, history) = only(journal.as_ref()).await;
    assert_eq!(row.state, RunState::Succeeded, "{history:?}");
    assert_eq!(bed.requests().await, ["GET /things/a"]);
    let remarks: Vec<&String> = history
        .iter()
        .filter_map(|stamped| match &stamped.entry {
            Entry::Remark { message, .. } => Some(message),
            _ => None,
        })
        .collect();
    assert!(remarks[0].starts_with("would send POST http://127.0.0.1:"), "{remarks:?}");
    assert!(remarks[0].ends_with("/things {\"name\":\"ann\"} (things.create on acme)"), "{remarks:?}");
    assert_eq!(remarks[1], "would send POST http://127.0.0.1:9/");
}

#[tokio::test(flavor = "multi_thread")]
async fn data_stays_true_and_what_is_said_hides_secrets() {
    let bed = TestBed::new(
        "vars: { auth: 'Key {{ env.KEY }}' }\nactions:\n\
         - { do: things.update, with: { id: a, key: '{{ vars.auth }}' } }\n- { do: log, with: { message: '{{ env.KEY }}' } }\n\
         - { do: http.request, with: { url: 'http://127.0.0.1:9/?k={{ env.KEY }}' }, retry: { attempts: 1 } }\n",
    )
    .await;
    let answer = |request: &wiremock::Request| {
        let body: Value = request.body_json().unwrap();
        ok(json!({ "you": body, "token": "token-abc" }))
    };
    Mock::given(method("PUT")).respond_with(answer).mount(&bed.server).await;
    let (journal, _) = bed.run(&[json!({})], quick()).await;
    let (row, history) = only(journal.as_ref()).await;
    assert_eq!(row.state, RunState::Failed);
    let sent = bed.server.received_requests().await.unwrap();
    assert!(String::from_utf8_lossy(&sent[0].body).contains("Key k3y-secret"));
    let (mut data, mut said) = (String::new(), row.error.unwrap_or_default());
    for stamped in history {
        match &stamped.entry {
            Entry::Started { vars: value, .. } => data.push_str(&format!("{value:?}")),
            Entry::StepSucceeded { result, .. } => data.push_str(&result.to_string()),
            Entry::Intent { inputs: value, .. } => {
                data.push_str(&value.to_string());
            }
            other => said.push_str(&format!("{other:?}")),
        }
    }
    for secret in ["k3y-secret", "token-abc"] {
        assert!(data.contains(secret), "{secret} is missing in {data}");
        assert!(!said.contains(secret), "{secret} is said: {said}");
    }
    assert!(said.contains("***"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_without_its_recipe_waits_for_it() {
    let bed = TestBed::new("actions: [{ do: things.get, with: { id: a } }]\n").await;
    bed.recipes.replace([]);
    let (journal, idle) = bed.run(&[json!({})], quick()).await;
    let (row, _) = only(journal.as_ref()).await;
    assert_eq!((row.state, idle.missing), (RunState::Waiting, vec!["r".to_owned()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_lease_has_passed_on_records_nothing_more() {
    let bed = TestBed::new("actions: [{ do: things.update, with: { id: a } }]\n").await;
    let (answer, reached, go) = held(ok(json!({})));
    Mock::given(method("PUT")).respond_with(answer).mount(&bed.server).await;
    let journal = bed.store();
    add(journal.as_ref(), &[json!({})]).await;
    let options = Options { concurrency: 1, ..quick() };
    // On SQLite the engine takes back whatever another owner has leased, at any moment after its start.
    let owner = options.owner.clone();
    let engine = bed.engine(Arc::<Sqlite>::clone(&journal), options);
    let running = tokio::spawn(async move { engine.run_until_idle().await });
    reached.notified().await;
    let later = Clock::system().now() + chrono::TimeDelta::hours(1);
    assert_eq!(journal.reclaim(&owner, later).await.unwrap(), 1);
    let taken = journal.lease(&owner, Slots::any(1), later, Duration::from_secs(600)).await.unwrap();
    assert_eq!(taken.len(), 1);
    go.send(()).unwrap();
    running.await.unwrap().unwrap();
    let (row, history) = only(journal.as_ref()).await;
    assert_eq!((row.state, kinds(&history)), (RunState::Running, vec!["started".into(), "intent".into()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_rate_is_deferred() {
    let bed = TestBed::new(
        "actions:\n- { do: things.shout, with: { n: 1 } }\n- { do: things.shout, with: { n: 2 } }\n",
    )
    .await;
    let refused = ResponseTemplate::new(429).insert_header("retry-after", "3600");
    Mock::given(method("POST")).respond_with(ok(json!({}))).up_to_n_times(1).mount(&bed.server).await;
    let bed = bed.on("POST", "/shouts", refused).await;
    let journal = bed.store();
    add(journal.as_ref(), &[json!({})]).await;
    let engine = bed.engine(Arc::<Sqlite>::clone(&journal), quick());
    let idle = engine.run_until_idle().await.unwrap();
    assert!(idle.next_due.is_some());
    let (row, history) = only(journal.as_ref()).await;
    assert_eq!(row.state, RunState::Waiting);
    let expected = ["started", "intent", "step_succeeded", "intent", "deferred"];
    assert_eq!(kinds(&history), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_long_makes_no_long_history() {
    let bed = TestBed::new("actions: [{ do: things.get, with: { id: a } }]\n").await;
    let refused = ResponseTemplate::new(429).insert_header("retry-after", "0");
    Mock::given(method("GET")).respond_with(refused).up_to_n_times(5).mount(&bed.server).await;
    let bed = bed.on("GET", "/things/a", ok(json!({}))).await;
    let (journal, _) = bed.run(&[json!({})], quick()).await;
    let (row, history) = only(journal.as_ref()).await;
    assert_eq!(row.state, RunState::Succeeded);
    assert_eq!(kinds(&history), ["started", "deferred", "step_succeeded", "finished"]);
    assert_eq!(bed.requests().await.len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_waiting_for_the_budget_are_not_in_doubt() {
    let mut bed = TestBed::new(
        "actions:\n- { do: things.shout, with: { n: 1 } }\n- { do: things.shout, with: { n: 2 } }\n",
    )
    .await
    .on("POST", "/shouts", ok(json!({})))
    .await;
    bed.burst = Some("1/14s".parse().unwrap());
    let journal = bed.store();
    add(journal.as_ref(), &[json!({})]).await;
    let engine = bed.engine(Arc::<Sqlite>::clone(&journal), quick());
    let running = tokio::spawn(async move { engine.run_until_idle().await });
    while only(journal.as_ref()).await.1.len() < 3 {
        journal.changed(Duration::from_millis(20)).await;
    }
    assert_eq!(kinds(&only(journal.as_ref()).await.1), ["started", "intent", "step_succeeded"]);
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    bed.burst = None;
    bed.engine(Arc::<Sqlite>::clone(&journal), quick()).run_until_idle().await.unwrap();
    let (row, history) = only(journal.as_ref()).await;
    assert_eq!(row.state, RunState::Succeeded, "{history:?}");
    assert_eq!(bed.requests().await.len(), 2);
}

/// The end of a run makes the next one of its lane due: a query between the two must be repeated. Many engines at
/// once make that likely.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lanes_are_worked_off_to_their_ends() {
    let engines = (0..40).map(|_| async move {
        let bed = TestBed::new("actions:\n- { do: log, with: { message: m } }\n").await;
        let payloads: Vec<Value> = (0..12).map(|_| json!({ "lane": "one" })).collect();
        let (journal, _) = bed.run(&payloads, quick()).await;
        rows(journal.as_ref()).await.into_iter().filter(|row| row.state != RunState::Succeeded).count()
    });
    let left: Vec<usize> =
        futures::future::join_all(engines.map(tokio::spawn)).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(left.iter().sum::<usize>(), 0, "{left:?}");
}
