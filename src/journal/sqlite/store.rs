//! The store: opening it, and the methods of [`Journal`].

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::FutureExt;
use rusqlite::Connection;
use tokio::sync::watch;

use crate::journal::database::{Database, Param};
use crate::journal::encoding::{stamp, until};
use crate::journal::last_failure::LastFailure;
use crate::journal::paused::put_paused_to_sleep;
use crate::journal::queries::{claims, import, totals};
use crate::journal::row::Row;
use crate::journal::shared_queries::QueriedStore;
use crate::journal::turns::Turns;
use crate::journal::unreadable_runs::park_unreadable;
use crate::journal::{
    Access, Appended, Batch, Claim, Error, Journal, Lease, LeasedRun, LimitState, LimitWrite, Pruned, Record,
    Retention, RunUpdate, Slots, Snapshot, StoreInfo,
};
use crate::run::{RunId, StampedEntry};

use crate::private;

use super::dialect::SqliteDialect;
use super::failure::Failure;
use super::file_identity::FileIdentity;
use super::grant::{Term, grant};
use super::lock::RunnerLock;
use super::reader::Readers;
use super::row::perform;
use super::schema::Durability;
use super::snapshot::ReadSnapshot;
use super::writer::{Tx, Writer};
use super::{amend, append, backup, clear, hold, lease, limits, prune, schema};

/// How often to check for writes of other processes while a caller waits for changes.
const WATCH_INTERVAL: Duration = Duration::from_millis(250);

/// A journal in an SQLite file.
pub struct Sqlite {
    store: Arc<str>,
    path: PathBuf,
    access: Access,
    writer: Writer,
    last_failure: LastFailure,
    readers: Arc<Readers>,
    /// Incremented whenever there may be new work.
    signal: Arc<watch::Sender<u64>>,
    /// Its value when runs were last leased.
    leased: AtomicU64,
    turns: Arc<Turns>,
}

impl Sqlite {
    /// Opens the store at `path`, and creates it and its folder if they are missing. Errors:
    /// [`Error::Busy`] if another process is the runner, [`Error::Newer`], [`Error::Corrupt`] and
    /// [`Error::Unavailable`].
    pub fn open(path: &Path, access: Access) -> Result<Self, Error> {
        Self::open_with(path, access, Durability::Full)
    }

    /// Opens or creates a store at `path` that need not survive a loss of power, which makes it fast. Errors as for
    /// [`Sqlite::open`].
    pub fn open_temporary(path: &Path) -> Result<Self, Error> {
        Self::open_with(path, Access::Runner, Durability::None)
    }

    fn open_with(path: &Path, access: Access, durability: Durability) -> Result<Self, Error> {
        let store: Arc<str> = path.display().to_string().into();
        create_folder(path, &store)?;
        if let Ok(there) = std::fs::metadata(path)
            && !there.is_file()
        {
            let what = if there.is_dir() { "a folder" } else { "a pipe or a device" };
            let reason = format!("is {what}, not a file; name another one under `store` in hob.yaml");
            return Err(Error::Unavailable { store: store.to_string(), reason });
        }
        private::create_file(path).map_err(|error| Error::Unavailable {
            store: store.to_string(),
            reason: format!("cannot be created: {error}"),
        })?;
        // A leftover of an earlier version or another program.
        for ending in ["", "-wal", "-shm"] {
            let mut file = path.as_os_str().to_owned();
            file.push(ending);
            private::close(Path::new(&file));
        }
        let runner = access == Access::Runner;
        let lock = runner.then(|| RunnerLock::take(path, &store)).transpose()?;
        let conn = schema::open_writer(path, &store, runner, durability)?;
        let signal = Arc::new(watch::Sender::new(0));
        Ok(Self {
            writer: Writer::start(
                conn,
                FileIdentity::at(path),
                Arc::clone(&store),
                lock,
                Arc::clone(&signal),
            )?,
            last_failure: LastFailure::default(),
            readers: Arc::new(Readers::new(path.to_owned(), Arc::clone(&store))),
            store,
            path: path.to_owned(),
            access,
            signal,
            leased: AtomicU64::new(0),
            turns: Arc::default(),
        })
    }

    /// Copies the store at `path` into the empty file `to`, as of this moment, and checks the integrity of the copy.
    /// Others may use the store meanwhile. Blocks.
    pub fn backup(path: &Path, to: &Path) -> Result<(), Error> {
        backup::copy(path, to, &path.display().to_string())
    }

    /// Deletes everything that is stored. For stores of tests that are used one after another: nobody may use it
    /// meanwhile.
    pub async fn clear(&self) -> Result<(), Error> {
        self.write(clear::clear).await
    }

    async fn write<T, F>(&self, act: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, Failure> + Send + 'static,
    {
        let written = self.writer.write(act).await;
        self.last_failure.record(&written);
        written
    }

    async fn read<T, F>(&self, act: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        self.readers.read(act).await
    }

    fn failed(&self, failure: Failure) -> Error {
        failure.into_error(&self.store)
    }

    /// Resolves when another process may have written.
    async fn changed_by_others(&self) {
        let mut look = tokio::time::interval(WATCH_INTERVAL);
        loop {
            look.tick().await;
            // A closed store has no news; the caller's time limit ends the wait.
            if self.writer.check_for_changes().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

impl Database for Sqlite {
    type Dialect = SqliteDialect;

    fn name(&self) -> &str {
        &self.store
    }

    async fn query(&self, sql: &str, params: Vec<Param>) -> Result<Vec<Row>, Error> {
        let sql = sql.to_owned();
        self.read(move |conn| perform(conn, &sql, params)).await
    }

    async fn execute(&self, sql: &str, params: Vec<Param>) -> Result<Vec<Row>, Error> {
        let sql = sql.to_owned();
        self.write(move |tx| perform(tx.conn, &sql, params)).await
    }
}

impl QueriedStore for Sqlite {
    type Database = Self;

    fn database(&self) -> &Self {
        self
    }
}

fn create_folder(path: &Path, store: &str) -> Result<(), Error> {
    let Some(folder) = path.parent() else { return Ok(()) };
    private::create_folder(folder).map_err(|error| Error::Unavailable {
        store: store.to_owned(),
        reason: format!("has no folder, and {} cannot be created: {error}", folder.display()),
    })
}

#[async_trait]
impl Journal for Sqlite {
    async fn append(&self, batch: Batch) -> Result<Appended, Error> {
        let rows = append::Rows::new(batch).map_err(|failure| self.failed(failure))?;
        self.write(move |tx| rows.append(tx)).await
    }

    async fn lease(
        &self,
        owner: &str,
        slots: Slots,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<Vec<LeasedRun>, Error> {
        self.leased.store(*self.signal.borrow(), Ordering::Release);
        let term = Term { owner: owner.to_owned(), now: stamp(now), until: until(now, ttl) };
        let turns = Arc::clone(&self.turns);
        let grants = self.write(move |tx| grant(tx, &turns, slots, &term)).await?;
        if grants.is_empty() {
            return Ok(Vec::new());
        }
        let loaded = self.read(move |conn| lease::load(conn, &grants)).await?;
        park_unreadable(self, loaded.unreadable, now).await?;
        put_paused_to_sleep(self, loaded.runs, now).await
    }

    async fn record(
        &self,
        lease: &Lease,
        entries: Vec<StampedEntry>,
        update: RunUpdate,
    ) -> Result<(), Error> {
        let texts = lease::texts(&entries).map_err(|failure| self.failed(failure))?;
        let lease = lease.clone();
        self.write(move |tx| lease::record(tx, &lease, &texts, &update)).await
    }

    async fn wake(&self, recipe: &str) -> Result<u64, Error> {
        let recipe = recipe.to_owned();
        self.write(move |tx| lease::wake(tx, &recipe)).await
    }

    async fn amend(
        &self,
        run: &RunId,
        seen: usize,
        entries: Vec<StampedEntry>,
        update: RunUpdate,
    ) -> Result<bool, Error> {
        let texts = lease::texts(&entries).map_err(|failure| self.failed(failure))?;
        let run = run.clone();
        self.write(move |tx| amend::amend(tx, &run, seen, &texts, &update)).await
    }

    async fn renew(&self, leases: &[Lease], now: DateTime<Utc>, ttl: Duration) -> Result<Vec<Lease>, Error> {
        let leases = leases.to_vec();
        self.write(move |tx| lease::renew(tx, leases, until(now, ttl))).await
    }

    async fn reclaim(&self, owner: &str, now: DateTime<Utc>) -> Result<u64, Error> {
        let owner = owner.to_owned();
        let alone = self.access == Access::Runner;
        self.write(move |tx| lease::reclaim(tx, &owner, alone, stamp(now))).await
    }

    async fn last_wait(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Error> {
        self.read(move |conn| lease::last_wait(conn, stamp(now))).await
    }

    async fn next_due(&self) -> Result<Option<DateTime<Utc>>, Error> {
        self.read(lease::next_due).await
    }

    async fn changed(&self, at_most: Duration) {
        let mut signal = self.signal.subscribe();
        let leased = self.leased.load(Ordering::Acquire);
        tokio::select! {
            _ = signal.wait_for(|count| *count > leased) => {}
            () = self.changed_by_others() => {}
            () = tokio::time::sleep(at_most) => {}
        }
    }

    fn is_shared(&self) -> bool {
        false
    }

    async fn claim(
        &self,
        name: &str,
        owner: &str,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<Option<Claim>, Error> {
        let alone = self.access == Access::Runner;
        claims::take(self, name, owner, alone, stamp(now), until(now, ttl)).await
    }

    async fn limits(&self, account: &str) -> Result<LimitState, Error> {
        let account = account.to_owned();
        self.read(move |conn| limits::read(conn, &account)).await
    }

    async fn put_limits(&self, account: &str, seen: i64, text: &str) -> Result<LimitWrite, Error> {
        let (account, text) = (account.to_owned(), text.to_owned());
        self.write(move |tx| limits::write(tx, &account, seen, &text)).await
    }

    async fn release_hold(&self, connection: &str) -> Result<bool, Error> {
        let connection = connection.to_owned();
        self.write(move |tx| hold::release(tx, &connection)).await
    }

    async fn prune(&self, retention: &Retention, limit: usize) -> Result<Pruned, Error> {
        let retention = *retention;
        self.write(move |tx| prune::prune(tx, &retention, limit)).await
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, Error> {
        let (path, store) = (self.path.clone(), Arc::clone(&self.store));
        let begun = tokio::task::spawn_blocking(move || ReadSnapshot::begin(&path, store)).await;
        let snapshot = begun.unwrap_or_else(|_| Err(Failure::Unreadable("its reader stopped".to_owned())));
        Ok(Box::new(snapshot.map_err(|failure| self.failed(failure))?))
    }

    async fn import(&self, records: Vec<Record>) -> Result<(), Error> {
        self.write(move |tx| {
            let imported = import::records(&*tx, &records).now_or_never();
            // An SQLite transaction never yields.
            let imported = imported.ok_or_else(|| Failure::Unreadable("the import waits".to_owned()))?;
            tx.counters.imported(&imported?);
            Ok(())
        })
        .await
    }

    async fn info(&self) -> Result<StoreInfo, Error> {
        totals::info(self, schema::newest()).await
    }

    async fn healthy(&self) -> Result<(), Error> {
        self.writer.write(schema::probe).await
    }

    fn last_failure(&self) -> Option<Error> {
        self.last_failure.get()
    }

    async fn close(&self) {
        if let Some(thread) = self.writer.stop() {
            // The thread ends once it has answered everyone; a panic was reported there.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
        self.readers.close();
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.readers.close();
        // The next process that opens the store must not find it locked.
        if let Some(thread) = self.writer.stop() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Queries;
    use serde_json::json;
    use std::sync::mpsc::sync_channel;

    fn open() -> (tempfile::TempDir, Arc<Sqlite>) {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&folder.path().join("hob.db"), Access::Runner).unwrap();
        (folder, Arc::new(store))
    }

    /// Blocks the writer until the sender is dropped, so that later writes form one group.
    async fn hold(store: &Arc<Sqlite>) -> std::sync::mpsc::SyncSender<()> {
        let (release, held) = sync_channel::<()>(0);
        let (begun, waiting) = tokio::sync::oneshot::channel();
        let store = Arc::clone(store);
        tokio::spawn(async move {
            let act = move |_: &mut Tx<'_>| {
                let _ = begun.send(());
                let _ = held.recv();
                Ok(())
            };
            store.write(act).await
        });
        waiting.await.unwrap();
        release
    }

    #[tokio::test]
    async fn a_failure_in_a_group_spoils_nothing_else() {
        let (_folder, store) = open();
        let busy = hold(&store).await;
        let put = |key: &'static str, fails: bool| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let act = move |tx: &mut Tx<'_>| {
                    tx.conn.execute("INSERT INTO state (key, value) VALUES (?1, '1')", [key])?;
                    tx.counters.event();
                    if fails { Err(Failure::Unreadable("on purpose".to_owned())) } else { Ok(()) }
                };
                store.write(act).await
            })
        };
        let (first, second, third) = (put("first", false), put("second", true), put("third", false));
        // All three must be queued before the writer continues.
        tokio::task::yield_now().await;
        drop(busy);
        first.await.unwrap().unwrap();
        assert!(matches!(second.await.unwrap(), Err(Error::Corrupt { .. })));
        third.await.unwrap().unwrap();
        assert_eq!(store.state("first").await.unwrap(), Some(json!(1)));
        assert_eq!(store.state("second").await.unwrap(), None);
        assert_eq!(store.state("third").await.unwrap(), Some(json!(1)));
        assert_eq!(store.totals(None).await.unwrap().events, 2);
    }

    #[tokio::test]
    async fn reading_does_not_keep_writers_waiting_nor_the_other_way_round() {
        let (_folder, store) = open();
        let (release, held) = sync_channel::<()>(0);
        let (begun, waiting) = tokio::sync::oneshot::channel();
        let reader = Arc::clone(&store);
        let reading = tokio::spawn(async move {
            let act = move |conn: &Connection| {
                let count = || conn.query_row("SELECT count(*) FROM state", [], |row| row.get::<_, i64>(0));
                let before = count()?;
                let _ = begun.send(());
                let _ = held.recv();
                Ok((before, count()?))
            };
            reader.read(act).await
        });
        waiting.await.unwrap();
        store.put_state("k", &json!(1)).await.unwrap();
        drop(release);
        // A read sees one snapshot, whatever is written meanwhile.
        assert_eq!(reading.await.unwrap().unwrap(), (0, 0));

        let busy = hold(&store).await;
        assert_eq!(store.state("k").await.unwrap(), Some(json!(1)));
        drop(busy);
    }

    async fn limit_pages(store: &Sqlite, pages: i64) {
        let act = move |tx: &mut Tx<'_>| {
            let pragma = format!("PRAGMA max_page_count = {pages}");
            Ok(tx.conn.query_row(&pragma, [], |_| Ok(()))?)
        };
        store.write(act).await.unwrap();
    }

    #[tokio::test]
    async fn the_last_write_that_failed_is_remembered_until_one_succeeds() {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&folder.path().join("hob.db"), Access::Client).unwrap();
        let full =
            rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL), None);
        store.write(move |_| Err::<(), _>(Failure::from(full))).await.unwrap_err();
        store.healthy().await.unwrap();
        assert!(store.last_failure().is_some_and(|error| error.to_string().contains("full")));
        store.write(|_| Ok(())).await.unwrap();
        assert!(store.last_failure().is_none());
    }

    #[tokio::test]
    async fn a_full_disk_is_reported_and_work_continues_with_free_space() {
        let (_folder, store) = open();
        limit_pages(&store, 60).await;
        let big = json!("x".repeat(10_000));
        let mut stored = 0;
        let error = loop {
            match store.put_state(&stored.to_string(), &big).await {
                Ok(()) => stored += 1,
                Err(error) => break error,
            }
        };
        assert!(
            matches!(&error, Error::Unavailable { reason, .. } if reason.contains("disk is full")),
            "{error}"
        );
        // Answered writes are stored, the others are not, and the store is readable.
        assert!(stored > 0);
        assert_eq!(store.state(&(stored - 1).to_string()).await.unwrap(), Some(big.clone()));
        assert_eq!(store.state(&stored.to_string()).await.unwrap(), None);
        limit_pages(&store, 10_000).await;
        store.put_state(&stored.to_string(), &big).await.unwrap();
        store.healthy().await.unwrap();
    }
}
