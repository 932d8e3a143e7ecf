//! Stores to test, with small events and runs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use hob::event::{Cursor, CursorKey, DedupKey, Event, EventId, ScanPosition, Source};
use hob::journal::{Access, Batch, Journal, LeasedRun, NewRun, Postgres, RunUpdate, Slots, Sqlite};
use hob::run::{Entry, RunId, RunState, StampedEntry};
use serde_json::json;
use tempfile::TempDir;

use crate::cluster::Cluster;

/// The location of a store that can be opened repeatedly.
pub enum StoreLocation {
    /// An SQLite file in its own folder.
    Sqlite(TempDir),
    /// A schema of the shared PostgreSQL cluster.
    Postgres(&'static Cluster, String),
}

impl StoreLocation {
    pub fn sqlite() -> Self {
        StoreLocation::Sqlite(tempfile::tempdir().expect("a temporary folder"))
    }

    /// `None` where PostgreSQL is not installed.
    pub fn postgres() -> Option<Self> {
        Cluster::shared().map(|cluster| StoreLocation::Postgres(cluster, cluster.schema()))
    }

    /// Opens the store as a runner.
    pub async fn open(&self) -> Arc<dyn Journal> {
        match self {
            StoreLocation::Sqlite(_) => Arc::new(Sqlite::open(&self.path(), Access::Runner).expect("opens")),
            StoreLocation::Postgres(cluster, schema) => {
                Arc::new(Postgres::open(&cluster.url(schema), Access::Runner).await.expect("opens"))
            }
        }
    }

    /// Opens the store as a client; there may be several at a time.
    pub async fn client(&self) -> Arc<dyn Journal> {
        match self {
            StoreLocation::Sqlite(_) => {
                let path = self.path();
                let opened = tokio::task::spawn_blocking(move || Sqlite::open(&path, Access::Client));
                Arc::new(opened.await.expect("no panic").expect("opens"))
            }
            StoreLocation::Postgres(cluster, schema) => {
                Arc::new(Postgres::open(&cluster.url(schema), Access::Client).await.expect("opens"))
            }
        }
    }

    /// Makes an event unreadable.
    pub fn spoil(&self, event: &EventId) {
        match self {
            StoreLocation::Sqlite(_) => {
                let file = rusqlite::Connection::open(self.path()).expect("opens");
                file.busy_timeout(TIMEOUT).expect("waits");
                let spoil = "UPDATE events SET source = 'x' WHERE id = ?1";
                assert_eq!(file.execute(spoil, [&event.0]).expect("writes"), 1);
            }
            StoreLocation::Postgres(cluster, schema) => {
                cluster.user(&format!("UPDATE {schema}.events SET source = 'x' WHERE id = '{event}'"));
            }
        }
    }

    /// Asserts how many rows a table has.
    pub fn assert_rows(&self, table: &str, expected: i64) {
        match self {
            StoreLocation::Sqlite(_) => {
                let file = rusqlite::Connection::open(self.path()).expect("opens");
                let sql = format!("SELECT count(*) FROM {table}");
                let found: i64 = file.query_row(&sql, [], |row| row.get(0)).expect("reads");
                assert_eq!(found, expected, "{table}");
            }
            StoreLocation::Postgres(cluster, schema) => cluster.user(&format!(
                "DO $$ BEGIN ASSERT (SELECT count(*) FROM {schema}.{table}) = {expected}; END $$"
            )),
        }
    }

    /// Another, empty location of the same kind.
    pub fn another(&self) -> Self {
        match self {
            StoreLocation::Sqlite(_) => StoreLocation::sqlite(),
            StoreLocation::Postgres(..) => StoreLocation::postgres().expect("there is one already"),
        }
    }

    /// Where the file is.
    pub fn path(&self) -> PathBuf {
        match self {
            StoreLocation::Sqlite(folder) => folder.path().join("state/hob.db"),
            StoreLocation::Postgres(_, schema) => panic!("{schema} is no file"),
        }
    }
}

/// Longer than any test may take: a wait this long has failed.
pub const TIMEOUT: Duration = Duration::from_secs(300);

pub const WORKER: &str = "worker-1";
pub const TTL: Duration = Duration::from_secs(30);

/// A time, in seconds after an origin.
pub fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 123_456_789).expect("a time") + TimeDelta::seconds(seconds)
}

pub fn event(dedup: &str) -> Event {
    Event {
        id: EventId::new(),
        source: Source::Connector("highlevel".to_owned()),
        kind: "ContactUpdate".into(),
        connection: Some("studio-1".to_owned()),
        record: Some(format!("contact-{dedup}")),
        dedup: DedupKey(dedup.to_owned()),
        received: at(0),
        payload: json!({ "z": 1, "a": [1.5, null, "ü"], "dedup": dedup }),
    }
}

/// The cursor of a recipe's poller, in a scan.
pub fn cursor(name: &str, scan: u64) -> Cursor {
    Cursor {
        key: CursorKey::new(name, &["fitr".to_owned()]),
        subject: "fitr.clients.list {}".to_owned(),
        scan,
        page: json!({ "page": 2 }).as_object().cloned().map(ScanPosition::Page),
        pages: 1,
        baseline_done: scan > 1,
        watermark: Some(json!("2026-01-01")),
        newest: None,
        settled: Default::default(),
        pass: Default::default(),
        over: Default::default(),
        started: at(0),
        due: at(300),
        failures: 0,
        health: Default::default(),
        pace: Default::default(),
        error: None,
        held: false,
        withheld: None,
        moved: None,
    }
}

pub fn new_run(recipe: &str, lane: &str) -> NewRun {
    NewRun {
        id: RunId::new(),
        recipe: recipe.to_owned(),
        accounts: [("highlevel".to_owned(), "studio-1".to_owned())].into_iter().collect(),
        lane: lane.to_owned(),
        coalesce: None,
    }
}

/// Adds an event with one run; returns the run's id.
pub async fn add(journal: &dyn Journal, dedup: &str, recipe: &str, lane: &str) -> RunId {
    add_event(journal, event(dedup), recipe, lane).await
}

pub async fn add_event(journal: &dyn Journal, event: Event, recipe: &str, lane: &str) -> RunId {
    let run = new_run(recipe, lane);
    let id = run.id.clone();
    let batch = Batch { events: vec![(event, vec![run])], progress: None };
    let appended = journal.append(batch).await.expect("appends");
    assert_eq!((appended.events, appended.runs, appended.duplicates), (1, 1, 0));
    id
}

pub async fn lease(journal: &dyn Journal, limit: usize, seconds: i64) -> Vec<LeasedRun> {
    journal.lease(WORKER, Slots::any(limit), at(seconds), TTL).await.expect("leases")
}

pub fn ids(runs: &[LeasedRun]) -> Vec<RunId> {
    runs.iter().map(|run| run.run.id.clone()).collect()
}

pub fn remark(seconds: i64, message: &str) -> StampedEntry {
    let entry = Entry::Remark { level: "info".to_owned(), message: message.to_owned() };
    StampedEntry::new(at(seconds), entry)
}

/// An update to `state`.
pub fn update(state: RunState, seconds: i64) -> RunUpdate {
    RunUpdate {
        state,
        due: None,
        error: None,
        version: None,
        holds_lane: false,
        writes: vec![],
        unsettled: None,
        now: at(seconds),
    }
}

pub fn sleep_until(due: i64) -> RunUpdate {
    RunUpdate { due: Some(at(due)), ..update(RunState::Waiting, 0) }
}

pub async fn end(journal: &dyn Journal, run: &LeasedRun, state: RunState) {
    journal.record(&run.lease, Vec::new(), update(state, 1)).await.expect("records");
}
