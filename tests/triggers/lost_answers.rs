//! Lost answers of every kind, over all commonly used operations: the effect happens once, or the run is parked with
//! what is known. The rows are in `lost_answers.csv`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Once};
use std::time::Duration;

use chrono::TimeDelta;
use hob::catalog::Catalog;
use hob::check::{CheckedRecipe, ConnectionInfo, WorkspaceInfo, check};
use hob::clock::ManualClock;
use hob::connection::{BudgetSettings, Connection, Credential, Setup};
use hob::engine::{Engine, Options, RecipeVersions};
use hob::event::{DedupKey, Event, EventId, Source};
use hob::journal::{Access, Batch, Journal, NewRun, RunFilter, RunRow, Sqlite};
use hob::request::{Client as Requests, ClientSettings};
use hob::run::{Accounts, RunId, RunState};
use hob::sandbox::{Fault, FaultKind, RunningSandbox, Sandbox};
use hob::secret::Secret;
use hob::services::Services;
use hob::source::SourceFile;
use indexmap::IndexMap;
use serde_json::{Map, Value, json};

static PROVIDER: Once = Once::new();

const TABLE: &str = include_str!("lost_answers.csv");
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/triggers/lost_answers.csv");
const HEAD: &str = "operation,way,end,records\n";
const CONNECTOR: &str = "highlevel";
/// More advances of the clock than any run needs.
const MAX_WAITS: usize = 40;

/// A way to lose an answer.
#[derive(Debug, Clone, Copy)]
struct Way {
    name: &'static str,
    runs: usize,
    /// Faults of the requests, in order.
    faults: &'static [Loss],
    /// Lists show created records only after this many seconds.
    lag: i64,
    /// hob is killed while it waits for the answer, or after its first probe.
    killed: bool,
}

#[derive(Debug, Clone, Copy)]
enum Loss {
    /// The connection is closed before the request is carried out.
    Before,
    /// The request is carried out, then the connection is closed.
    After,
    /// The request is carried out, and half of the answer is sent.
    Half,
    /// The request is carried out, and another answer is sent.
    Odd(&'static str),
    /// The request is not carried out, and no answer is sent.
    HangBefore,
    /// The request is carried out, and no answer is sent.
    HangAfter,
    /// No fault.
    Fine,
}

const WAYS: &[Way] = &[
    way("before_write", 1, &[Loss::Before]),
    way("after_write", 1, &[Loss::After]),
    way("half_answer", 1, &[Loss::Half]),
    way("wrong_type", 1, &[Loss::Odd("[7]")]),
    way("web_page", 1, &[Loss::Odd("<html>Back soon</html>")]),
    way("without_id", 1, &[Loss::Odd("{}")]),
    Way { killed: true, ..way("killed_before_write", 1, &[Loss::HangBefore]) },
    Way { killed: true, ..way("killed_after_write", 1, &[Loss::HangAfter]) },
    way("lost_twice", 1, &[Loss::Before, Loss::After]),
    Way { lag: 5, ..way("lagging_list", 1, &[Loss::After]) },
    Way { lag: 20, ..way("lagging_list_long", 1, &[Loss::After]) },
    Way { lag: 20, killed: true, ..way("lagging_list_killed", 1, &[Loss::HangAfter]) },
    Way { lag: 45, ..way("lagging_longer_than_stated", 1, &[Loss::After]) },
    way("two_equal_first_lost_before", 2, &[Loss::Before, Loss::Fine]),
    way("two_equal_first_lost_after", 2, &[Loss::After, Loss::Fine]),
    way("two_equal_second_lost_before", 2, &[Loss::Fine, Loss::Before]),
    way("two_seekers", 2, &[Loss::Before, Loss::After]),
    way("two_seekers_both_done", 2, &[Loss::After, Loss::After]),
    way("two_seekers_none_done", 2, &[Loss::Before, Loss::Before]),
    Way { lag: 20, ..way("two_seekers_lagging", 2, &[Loss::Before, Loss::After]) },
    way("three_equal_one_lost", 3, &[Loss::Fine, Loss::Before, Loss::Fine]),
];

const fn way(name: &'static str, runs: usize, faults: &'static [Loss]) -> Way {
    Way { name, runs, faults, lag: 0, killed: false }
}

/// A row of the table, or an actual result.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    operation: String,
    way: String,
    /// The final states of the runs, sorted.
    end: String,
    /// The number of additional records by collection.
    records: String,
}

impl Row {
    fn read(line: &str) -> Self {
        let mut columns = line.split(',').map(str::to_owned);
        let mut next = || columns.next().expect("four columns");
        Self { operation: next(), way: next(), end: next(), records: next() }
    }

    fn line(&self) -> String {
        format!("{},{},{},{}\n", self.operation, self.way, self.end, self.records)
    }
}

/// A sandbox, and everything needed to run recipes on it.
struct TestBed {
    catalog: Arc<Catalog>,
    sandbox: Sandbox,
    running: RunningSandbox,
    clock: ManualClock,
    facts: WorkspaceInfo,
    requests: Requests,
    _downloads: tempfile::TempDir,
}

/// The result of a way, besides what is in the table.
struct Became {
    row: Row,
    reasons: Vec<String>,
}

impl TestBed {
    async fn start(catalog: Arc<Catalog>) -> Self {
        PROVIDER.call_once(|| {
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let clock = ManualClock::new("2026-11-23T09:00:00Z".parse().expect("a time"));
        let options = hob::sandbox::Options {
            clock: clock.clock(),
            budget: hob::sandbox::Budget::Unlimited,
            ..hob::sandbox::Options::default()
        };
        let sandbox = Sandbox::new(Arc::clone(&catalog), options).expect("scripts are read");
        let running = sandbox.serve(([127, 0, 0, 1], 0).into()).await.expect("a free port");
        let settings = sandbox.settings(CONNECTOR).into_keys().collect();
        let fact = ConnectionInfo { connector: CONNECTOR.into(), settings, version: None };
        let mut facts = WorkspaceInfo { known: true, ..WorkspaceInfo::default() };
        facts.connections.insert("studio".into(), fact);
        let downloads = tempfile::tempdir().expect("a folder");
        let settings = ClientSettings { downloads: downloads.path().to_owned(), ..ClientSettings::default() };
        let requests = Requests::new(settings, clock.clock()).expect("a client");
        Self { catalog, sandbox, running, clock, facts, requests, _downloads: downloads }
    }

    fn recipe(&self, operation: &str, inputs: &Map<String, Value>) -> CheckedRecipe {
        let with = Value::Object(inputs.clone());
        let text = format!(
            "name: r\ntrigger: {{ manual: {{}} }}\nactions: [{{ id: a, do: {operation}, with: {with}, retry: {{ attempts: 6, backoff: 1s..2s }} }}]\n"
        );
        let checked = check(&SourceFile::new("r.yaml", text), &self.catalog, &self.facts).into_recipe();
        checked.unwrap_or_else(|report| panic!("{operation}: {report}"))
    }

    fn engine(&self, journal: &Arc<dyn Journal>, recipe: &CheckedRecipe) -> Engine {
        let token = self.sandbox.credential(CONNECTOR).expect("a token")["token"].clone();
        let setup = Setup {
            base_url: Some(self.running.base_url(CONNECTOR)),
            settings: self.sandbox.settings(CONNECTOR).into_iter().collect(),
            credential: Credential::Bearer(Secret::new(token.as_str().expect("a text"))),
            budget: BudgetSettings { burst: "100000/1s".parse().ok(), daily: None },
            clock: self.clock.clock(),
        };
        let connector = Arc::clone(self.catalog.connector(CONNECTOR).expect("built in"));
        let connection = Connection::new("studio", connector, setup).expect("a connection");
        let services = Services {
            journal: Arc::clone(journal),
            connections: Arc::new(IndexMap::from([("studio".to_owned(), Arc::new(connection))])),
            client: self.requests.clone(),
            clock: self.clock.clock(),
            env: Arc::default(),
            redactor: Arc::default(),
        };
        Engine::new(services, RecipeVersions::new([recipe.clone()]), options())
    }

    /// Loses an answer of `operation` in this way, on a fresh sandbox.
    async fn lose(&self, operation: &str, way: &Way) -> Became {
        let sandbox = &self.sandbox;
        sandbox.reset();
        let inputs = sandbox.example(operation).expect("an example");
        let before = sandbox.counts(CONNECTOR);
        let recipe = self.recipe(operation, &inputs);
        // Nothing here has to survive the machine.
        let memory = std::path::Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let folder = folder.expect("a folder");
        let store = Sqlite::open(&folder.path().join("hob.db"), Access::Runner).expect("a store");
        let journal: Arc<dyn Journal> = Arc::new(store);
        add(&*journal, way.runs, self.clock.clock().now()).await;
        for loss in way.faults {
            sandbox.add_fault(loss.fault(operation));
        }
        let read = self
            .catalog
            .operation(operation)
            .expect("known")
            .probe
            .as_ref()
            .map(|probe| probe.operation.clone());
        if way.lag > 0 && read.is_some() {
            sandbox.add_fault(Fault {
                operation: read,
                what: FaultKind::Lag(way.lag * 1000),
                ..Fault::default()
            });
        }
        if way.killed {
            self.killed_in_request(&journal, &recipe).await;
        }
        let rows = self.to_the_end(&journal, &recipe).await;
        let mut ends: Vec<&str> = rows.iter().map(|row| row.state.name()).collect();
        ends.sort_unstable();
        let reasons = rows.iter().filter_map(|row| row.error.clone()).collect();
        journal.close().await;
        let records = difference(&before, &sandbox.counts(CONNECTOR));
        let row = Row { operation: operation.into(), way: way.name.into(), end: ends.join("+"), records };
        Became { row, reasons }
    }

    /// A hob that is killed while it waits for an answer.
    async fn killed_in_request(&self, journal: &Arc<dyn Journal>, recipe: &CheckedRecipe) {
        let engine = self.engine(journal, recipe);
        let running = tokio::spawn(async move { engine.run_until_idle().await });
        let arrived = || self.sandbox.totals().0 > 0;
        let arrival = async {
            while !arrived() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), arrival).await.expect("the request arrives");
        running.abort();
        let _ = running.await;
    }

    /// Works until nothing is left to do; hob restarts after each wait.
    async fn to_the_end(&self, journal: &Arc<dyn Journal>, recipe: &CheckedRecipe) -> Vec<RunRow> {
        for _ in 0..MAX_WAITS {
            let engine = self.engine(journal, recipe);
            let idle = engine.run_until_idle().await.expect("works");
            let rows = journal.runs(&RunFilter::default()).await.expect("reads");
            let over = |row: &RunRow| row.state.is_finished() || row.state == RunState::Parked;
            if rows.iter().all(over) {
                return rows;
            }
            let now = self.clock.clock().now();
            let due = idle.next_due.filter(|due| *due > now).unwrap_or(now + TimeDelta::milliseconds(100));
            self.clock.advance(due - now);
        }
        let runs = journal.runs(&RunFilter::default()).await.expect("reads");
        let run = journal.run(&runs[0].id).await.expect("reads").expect("is there");
        panic!("no end: {:?}", run.entries.iter().rev().take(6).collect::<Vec<_>>());
    }
}

impl Loss {
    fn fault(self, operation: &str) -> Fault {
        let (what, done) = match self {
            Loss::Before => (FaultKind::Close, false),
            Loss::After => (FaultKind::Close, true),
            Loss::Half => (FaultKind::Truncate, true),
            Loss::HangBefore => (FaultKind::Hang, false),
            Loss::HangAfter => (FaultKind::Hang, true),
            Loss::Fine => (FaultKind::Nothing, true),
            Loss::Odd(text) => {
                let body = Some(serde_json::from_str(text).unwrap_or_else(|_| json!(text)));
                let page = text.starts_with('<').then(|| ("content-type".to_owned(), "text/html".to_owned()));
                (FaultKind::Status { status: 201, body, headers: page.into_iter().collect() }, true)
            }
        };
        Fault { operation: Some(operation.to_owned()), times: Some(1), what, done, ..Fault::default() }
    }
}

/// No waits: the clock is advanced manually.
fn options() -> Options {
    Options {
        horizon: Duration::ZERO,
        lease: Duration::from_secs(36_000),
        concurrency: 4,
        ..Options::default()
    }
}

async fn add(journal: &dyn Journal, runs: usize, now: chrono::DateTime<chrono::Utc>) {
    let event = |number: usize| Event {
        id: EventId::new(),
        source: Source::Manual("r".into()),
        kind: "manual".into(),
        connection: None,
        record: None,
        dedup: DedupKey(number.to_string()),
        received: now,
        payload: json!({}),
    };
    let run = |number: usize| NewRun {
        id: RunId::new(),
        recipe: "r".into(),
        accounts: Accounts::from([(CONNECTOR.to_owned(), "studio".to_owned())]),
        lane: number.to_string(),
        coalesce: None,
    };
    let events = (0..runs).map(|number| (event(number), vec![run(number)])).collect();
    journal.append(Batch { events, progress: None }).await.expect("stored");
}

/// `notes+1 tasks-1`, or `same`.
fn difference(before: &IndexMap<String, usize>, after: &IndexMap<String, usize>) -> String {
    let mut text = String::new();
    for (collection, count) in after {
        let change = *count as i64 - before.get(collection).copied().unwrap_or(0) as i64;
        if change != 0 {
            let _ = write!(text, "{}{collection}{change:+}", if text.is_empty() { "" } else { " " });
        }
    }
    if text.is_empty() { "same".to_owned() } else { text }
}

/// Rows of one operation are consecutive; several operations run in parallel.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lost_requests_are_done_once_or_parked() {
    let rows: Vec<Row> = TABLE.lines().skip(1).map(Row::read).collect();
    let mut operations: Vec<&str> = rows.iter().map(|row| row.operation.as_str()).collect();
    operations.dedup();
    assert!(operations.len() == 71 && rows.len() >= 110, "{} of {}", rows.len(), operations.len());
    let catalog = Arc::new(Catalog::built_in());
    let of = |operation: &str| -> Vec<Row> {
        rows.iter().filter(|row| row.operation == operation).cloned().collect()
    };
    let share = |n: usize| operations.iter().skip(n).step_by(4).map(|operation| of(operation)).collect();
    let tasks: Vec<_> = (0..4).map(|n| tokio::spawn(share_of(Arc::clone(&catalog), share(n)))).collect();
    let mut became = Vec::new();
    for task in tasks {
        became.extend(task.await.expect("no panic"));
    }
    let problems: Vec<String> = became.iter().flat_map(|(_, problems)| problems.clone()).collect();
    let place = |row: &Row| {
        rows.iter().position(|other| (&other.operation, &other.way) == (&row.operation, &row.way))
    };
    became.sort_by_key(|(row, _)| place(row));
    let text = HEAD.to_owned() + &became.iter().map(|(row, _)| row.line()).collect::<String>();
    if is_blessed() {
        std::fs::write(FILE, &text).expect("written");
    } else {
        // With two seekers, the order of probes and records is random: these results are checked by `wrong`.
        let by_chance = |line: &str| line.split(',').nth(1).is_some_and(|way| way.starts_with("two_seekers"));
        let known = |line: &&str| !by_chance(line) && !TABLE.lines().any(|other| other == *line);
        let others: Vec<&str> = text.lines().filter(known).collect();
        assert!(
            others.is_empty(),
            "HOB_BLESS=1 writes the table anew; what became otherwise:\n{}",
            others.join("\n")
        );
    }
    assert!(problems.is_empty(), "{} wrong:\n{problems:#?}", problems.len());
}

#[expect(clippy::disallowed_methods, reason = "the one switch of this test")]
fn is_blessed() -> bool {
    std::env::var_os("HOB_BLESS").is_some()
}

/// The results of the rows of some operations, with their mistakes.
async fn share_of(catalog: Arc<Catalog>, operations: Vec<Vec<Row>>) -> Vec<(Row, Vec<String>)> {
    let bed = TestBed::start(catalog).await;
    let mut all = Vec::new();
    for rows in operations {
        // The result without a fault.
        let mut undisturbed: BTreeMap<usize, Row> = BTreeMap::new();
        for Row { operation, way: name, .. } in rows {
            let known = WAYS.iter().find(|known| known.name == name);
            let lost = known.unwrap_or_else(|| panic!("`{name}` is no way of losing an answer"));
            let straight = match undisturbed.get(&lost.runs) {
                Some(row) => row.clone(),
                None => bed.lose(&operation, &way("undisturbed", lost.runs, &[])).await.row,
            };
            undisturbed.insert(lost.runs, straight.clone());
            let became = bed.lose(&operation, lost).await;
            let problem = wrong(&became, &straight);
            all.push((became.row, problem.into_iter().collect()));
        }
    }
    all
}

/// The number of additional records.
fn added(records: &str) -> usize {
    records.split(' ').filter_map(|change| change.rsplit_once('+')?.1.parse::<usize>().ok()).sum()
}

/// Mistakes in a result, independent of the table: it must be as without a fault, or parked with what is known, and
/// never more than that.
fn wrong(became: &Became, undisturbed: &Row) -> Option<String> {
    let Became { row, reasons } = became;
    let right = if row.end.contains("parked") {
        reasons.iter().any(|reason| reason.contains("may have happened"))
            && added(&row.records) <= added(&undisturbed.records)
    } else {
        row.end == undisturbed.end && row.records == undisturbed.records
    };
    let Row { operation, way, end, records } = row;
    let (straight, there) = (&undisturbed.end, &undisturbed.records);
    (!right).then(|| format!("{operation} {way}: {end} {records} instead of {straight} {there}: {reasons:?}"))
}
