//! The thread that writes. Queued writes share one transaction and with it the sync to disk. Answers are sent after
//! the commit.

use std::future::{Future, ready};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use crate::journal::Error;
use crate::journal::database::{Database, Param};
use crate::journal::row::Row;

use super::counters::Counters;
use super::dialect::SqliteDialect;
use super::failure::Failure;
use super::file_identity::FileIdentity;
use super::lock::RunnerLock;
use super::row::perform;

/// Queued writes; beyond this, callers wait.
const QUEUE: usize = 4096;
/// The most writes per transaction.
const MAX_GROUP: usize = 1024;

/// The context of a write.
pub(super) struct Tx<'a> {
    /// The connection, in the group's transaction.
    pub(super) conn: &'a Connection,
    /// Collects changes of the counters.
    pub(super) counters: &'a mut Counters,
    /// The store's name in messages.
    pub(super) store: &'a str,
}

impl Database for Tx<'_> {
    type Dialect = SqliteDialect;

    fn name(&self) -> &str {
        self.store
    }

    fn query(&self, sql: &str, params: Vec<Param>) -> impl Future<Output = Result<Vec<Row>, Error>> + Send {
        ready(perform(self.conn, sql, params).map_err(|failure| failure.into_error(self.store)))
    }

    fn execute(&self, sql: &str, params: Vec<Param>) -> impl Future<Output = Result<Vec<Row>, Error>> + Send {
        self.query(sql, params)
    }
}

/// A write, and the channel of its result.
trait Job: Send {
    /// Executes the write.
    fn execute(&mut self, tx: &mut Tx<'_>) -> Result<(), Error>;
    /// Sends its result or, if the transaction failed, that error.
    fn answer(self: Box<Self>, lost: Option<&Error>);
}

struct Task<T, F> {
    act: Option<F>,
    result: Option<Result<T, Error>>,
    reply: oneshot::Sender<Result<T, Error>>,
}

impl<T: Send, F: FnOnce(&mut Tx<'_>) -> Result<T, Failure> + Send> Job for Task<T, F> {
    fn execute(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let Some(act) = self.act.take() else { return Ok(()) };
        let result = act(tx).map_err(|failure| failure.into_error(tx.store));
        let outcome = result.as_ref().map(|_| ()).map_err(Error::clone);
        self.result = Some(result);
        outcome
    }

    fn answer(self: Box<Self>, lost: Option<&Error>) {
        let answer = match (self.result, lost) {
            (Some(Err(error)), _) => Err(error),
            (_, Some(lost)) => Err(lost.clone()),
            (Some(Ok(value)), None) => Ok(value),
            // A dropped channel tells the caller that the writer stopped.
            (None, None) => return,
        };
        // The caller may have given up; the write stays.
        let _ = self.reply.send(answer);
    }
}

enum Message {
    Write(Box<dyn Job>),
    /// Check whether another process has written.
    CheckForChanges(oneshot::Sender<()>),
}

/// The handle of the thread.
pub(super) struct Writer {
    store: Arc<str>,
    inbox: Mutex<Option<mpsc::Sender<Message>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread. `signal` is incremented whenever there may be new work.
    pub(super) fn start(
        conn: Connection,
        place: FileIdentity,
        store: Arc<str>,
        lock: Option<RunnerLock>,
        signal: Arc<watch::Sender<u64>>,
    ) -> Result<Self, Error> {
        let (inbox, messages) = mpsc::channel(QUEUE);
        let loop_ = Loop { conn, place, store: Arc::clone(&store), signal, version: None, _lock: lock };
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || loop_.work(messages))
            .map_err(|error| Error::Unavailable {
                store: store.to_string(),
                reason: format!("cannot be used: its thread does not start ({error}); free some memory"),
            })?;
        Ok(Self { store, inbox: Mutex::new(Some(inbox)), thread: Mutex::new(Some(thread)) })
    }

    /// Executes `act` in a transaction; returns once it is on disk. All or nothing.
    pub(super) async fn write<T, F>(&self, act: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, Failure> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let task = Task { act: Some(act), result: None, reply };
        self.send(Message::Write(Box::new(task))).await?;
        answer.await.unwrap_or_else(|_| Err(stopped(&self.store)))
    }

    /// Checks whether another process has written.
    pub(super) async fn check_for_changes(&self) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::CheckForChanges(reply)).await?;
        answer.await.map_err(|_| stopped(&self.store))
    }

    async fn send(&self, message: Message) -> Result<(), Error> {
        let inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let inbox = inbox.ok_or_else(|| stopped(&self.store))?;
        inbox.send(message).await.map_err(|_| stopped(&self.store))
    }

    /// Stops the thread after the queued writes.
    pub(super) fn stop(&self) -> Option<JoinHandle<()>> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.thread.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

fn stopped(store: &str) -> Error {
    Error::Unavailable { store: store.to_owned(), reason: "has been closed; start hob again".to_owned() }
}

/// The state of the thread.
struct Loop {
    // Fields are dropped in this order: the file is closed before its lock is released.
    conn: Connection,
    _lock: Option<RunnerLock>,
    place: FileIdentity,
    store: Arc<str>,
    signal: Arc<watch::Sender<u64>>,
    /// SQLite's `data_version`, which changes when another process writes.
    version: Option<i64>,
}

impl Loop {
    fn work(mut self, mut messages: mpsc::Receiver<Message>) {
        let mut group = Vec::with_capacity(MAX_GROUP);
        while let Some(message) = messages.blocking_recv() {
            let mut next = Some(message);
            while let Some(message) = next {
                match message {
                    Message::Write(job) => group.push(job),
                    Message::CheckForChanges(reply) => {
                        self.check_for_changes();
                        let _ = reply.send(());
                    }
                }
                next = if group.len() < MAX_GROUP { messages.try_recv().ok() } else { None };
            }
            if !group.is_empty() {
                self.commit(&mut group);
            }
        }
    }

    /// Commits the group in one transaction. A failed job is rolled back alone.
    fn commit(&mut self, group: &mut Vec<Box<dyn Job>>) {
        let mut counters = Counters::default();
        let lost = self.attempt(group, &mut counters).err();
        if lost.is_some() {
            // Fails if SQLite has rolled back already.
            let _ = self.conn.execute_batch("ROLLBACK");
        } else if counters.work {
            self.signal.send_modify(|count| *count += 1);
        }
        for job in group.drain(..) {
            job.answer(lost.as_ref());
        }
    }

    fn attempt(&mut self, group: &mut [Box<dyn Job>], counters: &mut Counters) -> Result<(), Error> {
        if !self.place.is_unchanged() {
            let reason = "was deleted or replaced while hob works on it; put it back, or start hob again";
            return Err(Error::Unavailable { store: self.store.to_string(), reason: reason.to_owned() });
        }
        self.run("BEGIN IMMEDIATE")?;
        self.check_for_changes();
        for job in group {
            self.run("SAVEPOINT job")?;
            let mut own = *counters;
            match job.execute(&mut Tx { conn: &self.conn, counters: &mut own, store: &self.store }) {
                Ok(()) => *counters = own,
                // Some failures, such as a full disk, roll back the whole transaction.
                Err(error) if self.conn.is_autocommit() => return Err(error),
                Err(_) => self.run("ROLLBACK TO job")?,
            }
            self.run("RELEASE job")?;
        }
        counters.save(&self.conn).map_err(|failure| failure.into_error(&self.store))?;
        self.run("COMMIT")
    }

    fn run(&self, sql: &str) -> Result<(), Error> {
        let done = self.conn.prepare_cached(sql).and_then(|mut statement| statement.raw_execute());
        done.map(drop).map_err(|error| Failure::from(error).into_error(&self.store))
    }

    /// Wakes workers if another process has written.
    fn check_for_changes(&mut self) {
        let version = self
            .conn
            .prepare_cached("PRAGMA data_version")
            .and_then(|mut read| read.query_row([], |row| row.get::<_, i64>(0)));
        // A failure appears in the next write, which has a caller to report it to.
        if let Ok(version) = version
            && self.version.replace(version).is_some_and(|before| before != version)
        {
            self.signal.send_modify(|count| *count += 1);
        }
    }
}
