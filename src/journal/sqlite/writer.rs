//! The one thread that writes. Whatever waits when it is free goes into one transaction, so that many
//! writers share the cost of reaching the disk. Nobody gets an answer before that.

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

/// Writes that may wait; beyond, writers wait to be let in.
const QUEUE: usize = 4096;
/// Writes that share a transaction at most.
const GROUP: usize = 1024;

/// What a write works with.
pub(super) struct Tx<'a> {
    /// In the group's transaction.
    pub(super) conn: &'a Connection,
    /// Where it notes what it changed.
    pub(super) counters: &'a mut Counters,
    /// What messages call the store.
    pub(super) store: &'a str,
}

impl Database for Tx<'_> {
    type Dialect = SqliteDialect;

    fn name(&self) -> &str {
        self.store
    }

    fn query(&self, sql: &str, params: Vec<Param>) -> impl Future<Output = Result<Vec<Row>, Error>> + Send {
        ready(perform(self.conn, sql, params).map_err(|failure| failure.of(self.store)))
    }

    fn execute(&self, sql: &str, params: Vec<Param>) -> impl Future<Output = Result<Vec<Row>, Error>> + Send {
        self.query(sql, params)
    }
}

/// A write and the way its answer takes.
trait Job: Send {
    /// Does it.
    fn act(&mut self, tx: &mut Tx<'_>) -> Result<(), Error>;
    /// Answers: with its own result or, if all was lost, with why.
    fn answer(self: Box<Self>, lost: Option<&Error>);
}

struct Task<T, F> {
    act: Option<F>,
    result: Option<Result<T, Error>>,
    reply: oneshot::Sender<Result<T, Error>>,
}

impl<T: Send, F: FnOnce(&mut Tx<'_>) -> Result<T, Failure> + Send> Job for Task<T, F> {
    fn act(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let Some(act) = self.act.take() else { return Ok(()) };
        let result = act(tx).map_err(|failure| failure.of(tx.store));
        let outcome = result.as_ref().map(|_| ()).map_err(Error::clone);
        self.result = Some(result);
        outcome
    }

    fn answer(self: Box<Self>, lost: Option<&Error>) {
        let answer = match (self.result, lost) {
            (Some(Err(error)), _) => Err(error),
            (_, Some(lost)) => Err(lost.clone()),
            (Some(Ok(value)), None) => Ok(value),
            // Without an answer, the other side says that the writer stopped.
            (None, None) => return,
        };
        // The caller may have given up; what was written stays.
        let _ = self.reply.send(answer);
    }
}

enum Message {
    Write(Box<dyn Job>),
    /// See whether another process has written.
    Look(oneshot::Sender<()>),
}

/// The way to the thread.
pub(super) struct Writer {
    store: Arc<str>,
    inbox: Mutex<Option<mpsc::Sender<Message>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread. `signal` counts up whenever there may be new work.
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

    /// Does `act` in a transaction and answers once that is on disk. All or nothing.
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

    /// Has the thread see whether another process has written.
    pub(super) async fn look(&self) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Look(reply)).await?;
        answer.await.map_err(|_| stopped(&self.store))
    }

    async fn send(&self, message: Message) -> Result<(), Error> {
        let inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let inbox = inbox.ok_or_else(|| stopped(&self.store))?;
        inbox.send(message).await.map_err(|_| stopped(&self.store))
    }

    /// Lets the thread finish what waits, and takes nothing more.
    pub(super) fn stop(&self) -> Option<JoinHandle<()>> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.thread.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

fn stopped(store: &str) -> Error {
    Error::Unavailable { store: store.to_owned(), reason: "has been closed; start hob again".to_owned() }
}

/// The thread's own.
struct Loop {
    // Fields are dropped in this order: the file is closed before the right to it is given back.
    conn: Connection,
    _lock: Option<RunnerLock>,
    place: FileIdentity,
    store: Arc<str>,
    signal: Arc<watch::Sender<u64>>,
    /// Changes when another process writes.
    version: Option<i64>,
}

impl Loop {
    fn work(mut self, mut messages: mpsc::Receiver<Message>) {
        let mut group = Vec::with_capacity(GROUP);
        while let Some(message) = messages.blocking_recv() {
            let mut next = Some(message);
            while let Some(message) = next {
                match message {
                    Message::Write(job) => group.push(job),
                    Message::Look(reply) => {
                        self.look();
                        let _ = reply.send(());
                    }
                }
                next = if group.len() < GROUP { messages.try_recv().ok() } else { None };
            }
            if !group.is_empty() {
                self.commit(&mut group);
            }
        }
    }

    /// One transaction for the group. A job that fails is undone alone.
    fn commit(&mut self, group: &mut Vec<Box<dyn Job>>) {
        let mut counters = Counters::default();
        let lost = self.attempt(group, &mut counters).err();
        if lost.is_some() {
            // SQLite may have ended the transaction by itself; then this fails, and that is fine.
            let _ = self.conn.execute_batch("ROLLBACK");
        } else if counters.work {
            self.signal.send_modify(|count| *count += 1);
        }
        for job in group.drain(..) {
            job.answer(lost.as_ref());
        }
    }

    fn attempt(&mut self, group: &mut [Box<dyn Job>], counters: &mut Counters) -> Result<(), Error> {
        if !self.place.is_still() {
            let reason = "was deleted or replaced while hob works on it; put it back, or start hob again";
            return Err(Error::Unavailable { store: self.store.to_string(), reason: reason.to_owned() });
        }
        self.run("BEGIN IMMEDIATE")?;
        self.look();
        for job in group {
            self.run("SAVEPOINT job")?;
            let mut own = *counters;
            match job.act(&mut Tx { conn: &self.conn, counters: &mut own, store: &self.store }) {
                Ok(()) => *counters = own,
                // Some failures, such as a full disk, may take the whole transaction with them.
                Err(error) if self.conn.is_autocommit() => return Err(error),
                Err(_) => self.run("ROLLBACK TO job")?,
            }
            self.run("RELEASE job")?;
        }
        counters.save(&self.conn).map_err(|failure| failure.of(&self.store))?;
        self.run("COMMIT")
    }

    fn run(&self, sql: &str) -> Result<(), Error> {
        let done = self.conn.prepare_cached(sql).and_then(|mut statement| statement.raw_execute());
        done.map(drop).map_err(|error| Failure::from(error).of(&self.store))
    }

    /// Wakes workers if another process has written.
    fn look(&mut self) {
        let version = self
            .conn
            .prepare_cached("PRAGMA data_version")
            .and_then(|mut read| read.query_row([], |row| row.get::<_, i64>(0)));
        // A failure shows in the next write, with someone to tell it to.
        if let Ok(version) = version
            && self.version.replace(version).is_some_and(|before| before != version)
        {
            self.signal.send_modify(|count| *count += 1);
        }
    }
}
