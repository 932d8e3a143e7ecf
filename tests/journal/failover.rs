//! Connections and servers that fail under load: nothing that was acknowledged is lost, and nothing is done twice.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hob::clock::Clock;
use hob::journal::{
    Access, Batch, Error, Journal, LeasedRun, Postgres, Queries, RunFilter, RunUpdate, Slots,
};
use hob::run::{Entry, RunState, StampedEntry};
use tokio::task::JoinSet;

use crate::cluster::Cluster;
use crate::fixture::{event, new_run};

/// Longer than any test may take.
const TIMEOUT: Duration = Duration::from_secs(300);
/// Longer than any wait here: a run with a lost lease would be missed.
const LEASE: Duration = Duration::from_secs(3600);
const PROCESSES: usize = 2;
const APPENDERS: usize = 4;
const WORKERS: usize = 3;

/// What the processes share, besides the store.
struct Load {
    clock: Clock,
    stop: AtomicBool,
    acknowledged: Mutex<BTreeSet<String>>,
    finished: Mutex<Vec<String>>,
    fenced: AtomicUsize,
    retries: AtomicUsize,
    /// Steps done by each appender and each worker.
    steps: [AtomicUsize; PROCESSES * (APPENDERS + WORKERS)],
}

impl Load {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            clock: Clock::system(),
            stop: AtomicBool::new(false),
            acknowledged: Mutex::default(),
            finished: Mutex::default(),
            fenced: AtomicUsize::new(0),
            retries: AtomicUsize::new(0),
            steps: Default::default(),
        })
    }

    /// Waits until this many more events are acknowledged and runs have ended.
    fn gets_on(&self, by: usize) {
        let count = || (self.acknowledged.lock().unwrap().len(), self.finished.lock().unwrap().len());
        let before = count();
        until("the load gets on", || {
            let now = count();
            now.0 >= before.0 + by && now.1 >= before.1 + by
        });
    }

    /// Waits until everything started before is done.
    fn all_get_on(&self) {
        let steps = || self.steps.each_ref().map(|steps| steps.load(Ordering::Relaxed));
        let before = steps();
        until("all get on", || steps().iter().zip(before).all(|(now, before)| *now > before));
    }

    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    /// Like a webhook sender: retries until acknowledged.
    async fn append(&self, store: &dyn Journal, dedup: &str, lane: &str) {
        loop {
            let mut event = event(dedup);
            event.received = self.clock.now();
            let batch = Batch { events: vec![(event, vec![new_run("a", lane)])], progress: None };
            match store.append(batch).await {
                Ok(appended) => {
                    assert_eq!(appended.events + appended.duplicates, 1);
                    self.acknowledged.lock().unwrap().insert(dedup.to_owned());
                    return;
                }
                Err(Error::Unavailable { .. }) => self.again().await,
                Err(error) => panic!("{error}"),
            }
        }
    }

    async fn again(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    /// Like a worker: records start and end, each until recorded or fenced.
    async fn work(&self, store: &dyn Journal, run: LeasedRun) {
        let epoch = run.lease.epoch;
        let begun = [self.entry(format!("begun {epoch}"))];
        if !self.record(store, &run, &begun, RunState::Running).await {
            return;
        }
        let ended = [self.entry(format!("acted {epoch}")), self.entry(format!("ended {epoch}"))];
        if self.record(store, &run, &ended, RunState::Succeeded).await {
            self.finished.lock().unwrap().push(run.event.dedup.0);
        }
    }

    fn entry(&self, message: String) -> StampedEntry {
        StampedEntry::new(self.clock.now(), Entry::Remark { level: "info".to_owned(), message })
    }

    async fn record(
        &self,
        store: &dyn Journal,
        run: &LeasedRun,
        entries: &[StampedEntry],
        state: RunState,
    ) -> bool {
        loop {
            let now = self.clock.now();
            let update = RunUpdate {
                state,
                due: None,
                error: None,
                version: None,
                holds_lane: false,
                writes: vec![],
                unsettled: None,
                now,
            };
            match store.record(&run.lease, entries.to_vec(), update).await {
                Ok(()) => return true,
                Err(Error::Fenced { .. }) => {
                    self.fenced.fetch_add(1, Ordering::Relaxed);
                    return false;
                }
                Err(Error::Unavailable { .. }) => self.again().await,
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// A process: adds events during the load, and works until nothing is left.
async fn process(load: Arc<Load>, store: Arc<Postgres>, number: usize) {
    let first = number * (APPENDERS + WORKERS);
    let mut tasks = JoinSet::new();
    for appender in 0..APPENDERS {
        let (load, store) = (Arc::clone(&load), Arc::clone(&store));
        tasks.spawn(async move {
            let mut n = 0;
            while load.goes_on() {
                load.append(&*store, &format!("{number}-{appender}-{n}"), &(n % 5).to_string()).await;
                n += 1;
                load.steps[first + appender].fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    for worker in 0..WORKERS {
        let (load, store) = (Arc::clone(&load), Arc::clone(&store));
        tasks.spawn(async move {
            let owner = format!("worker-{number}-{worker}");
            loop {
                let leased = store.lease(&owner, Slots::any(2), load.clock.now(), LEASE).await;
                // Before checking for the end, or something could be added in between.
                let over = !load.goes_on();
                match leased {
                    Ok(runs) if runs.is_empty() => {
                        let _ = store.reclaim(&owner, load.clock.now()).await;
                        let totals = store.totals(None).await;
                        let open = |totals: hob::journal::Totals| {
                            totals.runs.contains_key("waiting") || totals.runs.contains_key("running")
                        };
                        if over && totals.is_ok_and(|totals| !open(totals)) {
                            return;
                        }
                        store.changed(Duration::from_millis(100)).await;
                    }
                    Ok(runs) => {
                        for run in runs {
                            load.work(&*store, run).await;
                        }
                    }
                    Err(Error::Unavailable { .. }) => load.again().await,
                    Err(error) => panic!("{error}"),
                }
                load.steps[first + APPENDERS + worker].fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.expect("goes on to its end");
    }
    store.close().await;
}

/// Runs a load while `disturb` acts on the store, and checks the result.
async fn under_load(url: &str, disturb: impl FnOnce(&Load) + Send + 'static) -> Arc<Load> {
    let load = Load::new();
    let mut processes = JoinSet::new();
    for number in 0..PROCESSES {
        let store = Postgres::open(url, Access::Runner).await.expect("opens");
        processes.spawn(process(Arc::clone(&load), Arc::new(store), number));
    }
    let disturbed = Arc::clone(&load);
    tokio::task::spawn_blocking(move || disturb(&disturbed)).await.expect("disturbs");
    load.stop.store(true, Ordering::Relaxed);
    tokio::time::timeout(TIMEOUT, async {
        while let Some(ended) = processes.join_next().await {
            ended.expect("goes on to its end");
        }
    })
    .await
    .expect("all runs come to their end");
    check(url, &load).await;
    assert_eq!(load.fenced.load(Ordering::Relaxed), 0, "no lease is lost");
    load
}

async fn check(url: &str, load: &Load) {
    let store = Postgres::open(url, Access::Client).await.expect("opens");
    let rows = store.runs(&RunFilter::default()).await.unwrap();
    let acknowledged = load.acknowledged.lock().unwrap().clone();
    let records: BTreeSet<String> = rows
        .iter()
        .filter_map(|row| row.record.as_deref()?.strip_prefix("contact-").map(str::to_owned))
        .collect();
    assert_eq!(records.len(), rows.len(), "no event has two runs");
    assert_eq!(records, acknowledged, "what was acknowledged is there");
    let finished = load.finished.lock().unwrap().clone();
    assert_eq!(finished.iter().collect::<BTreeSet<_>>().len(), finished.len(), "nothing ended twice");
    for row in &rows {
        assert_eq!(row.state, RunState::Succeeded);
        let detail = store.run(&row.id).await.unwrap().unwrap();
        let said: Vec<String> = detail
            .entries
            .iter()
            .map(|stamped| match &stamped.entry {
                Entry::Remark { message, .. } => message.clone(),
                other => panic!("{other:?}"),
            })
            .collect();
        // Each lease starts at most once, and the last one ends the run once.
        let (begun, ended) = said.split_at(said.len().saturating_sub(2));
        let last = begun.last().and_then(|last| last.strip_prefix("begun ")).expect("was begun");
        assert_eq!(ended, [format!("acted {last}"), format!("ended {last}")], "{said:?}");
        assert_eq!(begun.iter().collect::<BTreeSet<_>>().len(), begun.len(), "{said:?}");
    }
    let (totals, counted) =
        (store.totals(None).await.unwrap(), store.totals(Some(chrono::DateTime::UNIX_EPOCH)).await.unwrap());
    assert_eq!(totals, counted, "the counters are right");
    eprintln!("{} events, {} asked again", rows.len(), load.retries.load(Ordering::Relaxed));
}

/// Ends the connections of a store.
fn disconnect(cluster: &Cluster, schema: &str) {
    cluster.admin(&format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{schema}'"
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_connections_lose_and_double_nothing() {
    let Some(cluster) = Cluster::shared() else { return };
    let schema = cluster.schema();
    let url = cluster.url(&schema);
    let disturb = move |load: &Load| {
        for _ in 0..20 {
            load.gets_on(5);
            // A repeatedly interrupted call may fail.
            load.all_get_on();
            disconnect(cluster, &schema);
        }
        load.gets_on(5);
    };
    let load = under_load(&url, disturb).await;
    assert_eq!(load.retries.load(Ordering::Relaxed), 0, "nobody hears of a connection that was lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_crashes_loses_and_doubles_nothing() {
    // With fsync, as after a power failure.
    let Some(cluster) = Cluster::start(&["fsync=on"]) else { return };
    let cluster = Arc::new(cluster);
    let url = cluster.store();
    let crashing = Arc::clone(&cluster);
    under_load(&url, move |load| {
        for n in 0..4 {
            load.gets_on(20);
            crashing.crash();
            pause(Duration::from_millis(200 * n));
            crashing.restart();
        }
        load.gets_on(20);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_server_is_reported_and_found_again() {
    let Some(cluster) = Cluster::start(crate::cluster::QUICK) else { return };
    let url = cluster.store();
    let store = Postgres::open(&url, Access::Runner).await.unwrap();
    let batch = |dedup| Batch { events: vec![(event(dedup), vec![new_run("a", "x")])], progress: None };
    store.append(batch("1")).await.unwrap();
    cluster.crash();
    let (appended, healthy) = tokio::join!(store.append(batch("2")), store.healthy());
    for error in [appended.unwrap_err(), healthy.unwrap_err()] {
        let told = error.to_string();
        assert!(
            matches!(error, Error::Unavailable { .. }) && told.contains("check that its server is running"),
            "{told}"
        );
    }
    cluster.restart();
    assert_eq!(store.append(batch("2")).await.unwrap().events, 1);
    assert_eq!(store.append(batch("1")).await.unwrap().duplicates, 1);
    // New work still causes notifications.
    let other = Postgres::open(&url, Access::Client).await.unwrap();
    let leased = store.lease("w", Slots::any(9), Clock::system().now(), LEASE).await.unwrap();
    assert_eq!(leased.len(), 1);
    let waiting = store.changed(TIMEOUT * 2);
    let (woken, _) = tokio::join!(tokio::time::timeout(TIMEOUT, waiting), async {
        let batch = Batch { events: vec![(event("3"), vec![new_run("a", "y")])], progress: None };
        other.append(batch).await.unwrap()
    });
    woken.expect("is woken");
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < TIMEOUT, "timed out: {what}");
        pause(Duration::from_millis(5));
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "what disturbs is on a thread of its own and has nothing to wait for"
)]
fn pause(duration: Duration) {
    std::thread::sleep(duration);
}
