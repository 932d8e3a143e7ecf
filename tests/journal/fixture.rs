//! Stores to test, and small events and runs to put in.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use hob::event::{DedupKey, Event, EventId, Source};
use hob::journal::{Access, Batch, Journal, LeasedRun, NewRun, Postgres, RunUpdate, Sqlite};
use hob::run::{Entry, RunId, RunState, StampedEntry};
use serde_json::json;
use tempfile::TempDir;

use crate::postgres::Cluster;

/// A place where a store lives, however often it is opened.
pub enum Home {
    /// An SQLite file in a folder of its own.
    Sqlite(TempDir),
    /// The address of a PostgreSQL store.
    Postgres(String),
}

impl Home {
    pub fn sqlite() -> Self {
        Home::Sqlite(tempfile::tempdir().expect("a temporary folder"))
    }

    /// `None` where PostgreSQL is not installed.
    pub fn postgres() -> Option<Self> {
        Cluster::shared().map(|cluster| Home::Postgres(cluster.store()))
    }

    /// Opens the store to work on it.
    pub async fn open(&self) -> Arc<dyn Journal> {
        match self {
            Home::Sqlite(_) => Arc::new(Sqlite::open(&self.path(), Access::Runner).expect("opens")),
            Home::Postgres(url) => Arc::new(Postgres::open(url, Access::Runner).await.expect("opens")),
        }
    }

    /// Another, empty place of the same kind.
    pub fn another(&self) -> Self {
        match self {
            Home::Sqlite(_) => Home::sqlite(),
            Home::Postgres(_) => Home::postgres().expect("there is one already"),
        }
    }

    /// Where the file is.
    pub fn path(&self) -> PathBuf {
        match self {
            Home::Sqlite(folder) => folder.path().join("state/hob.db"),
            Home::Postgres(url) => panic!("{url} is no file"),
        }
    }
}

pub const WORKER: &str = "worker-1";
pub const TTL: Duration = Duration::from_secs(30);

/// A time, in seconds after some moment.
pub fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 123_456_789).expect("a time") + TimeDelta::seconds(seconds)
}

pub fn event(dedup: &str) -> Event {
    Event {
        id: EventId::new(),
        source: Source::Connector("highlevel".to_owned()),
        kind: "ContactUpdate".to_owned(),
        connection: Some("studio-1".to_owned()),
        record: Some(format!("contact-{dedup}")),
        dedup: DedupKey(dedup.to_owned()),
        received: at(0),
        payload: json!({ "z": 1, "a": [1.5, null, "ü"], "dedup": dedup }),
    }
}

pub fn new_run(recipe: &str, lane: &str) -> NewRun {
    NewRun {
        id: RunId::new(),
        recipe: recipe.to_owned(),
        accounts: [("highlevel".to_owned(), "studio-1".to_owned())].into_iter().collect(),
        lane: lane.to_owned(),
    }
}

/// Adds an event with one run, whose id is the answer.
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
    journal.lease(WORKER, limit, at(seconds), TTL).await.expect("leases")
}

pub fn ids(runs: &[LeasedRun]) -> Vec<RunId> {
    runs.iter().map(|run| run.run.id.clone()).collect()
}

pub fn remark(seconds: i64, message: &str) -> StampedEntry {
    let entry = Entry::Remark { level: "info".to_owned(), message: message.to_owned() };
    StampedEntry { at: at(seconds), entry }
}

/// The end of some work at a time.
pub fn update(state: RunState, seconds: i64) -> RunUpdate {
    RunUpdate {
        state,
        due: None,
        error: None,
        version: None,
        holds_lane: false,
        writes: vec![],
        now: at(seconds),
    }
}

pub fn sleep_until(due: i64) -> RunUpdate {
    RunUpdate { due: Some(at(due)), ..update(RunState::Waiting, 0) }
}

pub async fn end(journal: &dyn Journal, run: &LeasedRun, state: RunState) {
    journal.record(&run.lease, Vec::new(), update(state, 1)).await.expect("records");
}
