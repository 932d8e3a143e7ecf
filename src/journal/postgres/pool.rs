//! The connections of a process, opened on demand and reopened when lost.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_postgres::Row;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::journal::database::{Database, Param};
use crate::journal::{self, Error};

use super::address::Target;
use super::dialect::PostgresDialect;
use super::failure::Failure;
use super::retry::RetryBackoff;
use super::row::{read_all, values};
use super::session::{Params, Session};

/// The most connections of a process, without the listening one.
const MAX_CONNECTIONS: usize = 8;

/// A connection pool.
pub(in crate::journal) struct Pool {
    target: Arc<Target>,
    tls: MakeRustlsConnect,
    permits: Semaphore,
    /// A stack, so that few connections are in use.
    idle: Mutex<Vec<Session>>,
}

impl Database for Pool {
    type Dialect = PostgresDialect;

    fn name(&self) -> &str {
        &self.target.name
    }

    async fn query(&self, sql: &str, params: Vec<Param>) -> Result<Vec<journal::row::Row>, Error> {
        let found = self.query(sql, &values(&params)).await;
        found.and_then(|rows| read_all(&rows)).map_err(|failure| failure.into_error(&self.target.name))
    }

    async fn execute(&self, sql: &str, params: Vec<Param>) -> Result<Vec<journal::row::Row>, Error> {
        Database::query(self, sql, params).await
    }
}

impl Pool {
    /// A pool with one connection in it.
    pub(super) fn new(target: Arc<Target>, tls: MakeRustlsConnect, first: Session) -> Self {
        Self { target, tls, permits: Semaphore::new(MAX_CONNECTIONS), idle: Mutex::new(vec![first]) }
    }

    /// Executes one idempotent statement; retries if a connection is lost.
    pub(super) async fn query(&self, sql: &str, params: Params<'_>) -> Result<Vec<Row>, Failure> {
        let mut backoff = RetryBackoff::new();
        loop {
            match self.attempt(sql, params).await {
                Ok(rows) => return Ok(rows),
                Err(failure) => backoff.pause_before_retry(failure).await?,
            }
        }
    }

    /// Executes one statement once.
    pub(super) async fn attempt(&self, sql: &str, params: Params<'_>) -> Result<Vec<Row>, Failure> {
        let _seat = self.permits.acquire().await.map_err(|_| Failure::Closed)?;
        let session = self.take().await?;
        let answer = session.query(sql, params).await;
        self.give(session, answer.as_ref().err());
        answer
    }

    /// Begins a transaction.
    pub(super) async fn begin(&self) -> Result<Transaction<'_>, Failure> {
        let seat = self.permits.acquire().await.map_err(|_| Failure::Closed)?;
        let session = self.take().await?;
        session.batch("BEGIN").await?;
        Ok(Transaction { pool: self, _seat: seat, session, failure: Mutex::default() })
    }

    /// A connection outside the pool, for long use.
    pub(super) async fn dedicated(&self) -> Result<Session, Failure> {
        Session::open(&self.target, &self.tls).await
    }

    async fn take(&self) -> Result<Session, Failure> {
        let waiting = self.idle().pop();
        match waiting {
            Some(session) if !session.is_closed() => Ok(session),
            _ => Session::open(&self.target, &self.tls).await,
        }
    }

    fn give(&self, session: Session, failure: Option<&Failure>) {
        if failure.is_some_and(Failure::ends_connection) {
            // The cause of this loss may have closed others.
            self.idle().retain(|session| !session.is_closed());
        } else if !self.permits.is_closed() {
            self.idle().push(session);
        }
    }

    /// Accepts no more statements and closes idle connections.
    pub(super) fn close(&self) {
        self.permits.close();
        self.idle().clear();
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A transaction. Without a commit it is dropped with its connection.
pub(super) struct Transaction<'a> {
    pool: &'a Pool,
    _seat: SemaphorePermit<'a>,
    pub(super) session: Session,
    /// Why its last statement failed.
    failure: Mutex<Option<Failure>>,
}

impl Transaction<'_> {
    /// Commits.
    pub(super) async fn commit(self) -> Result<(), Failure> {
        self.session.batch("COMMIT").await?;
        self.pool.give(self.session, None);
        Ok(())
    }

    /// Why it failed, if the server caused it.
    pub(super) fn failure(self) -> Option<Failure> {
        self.failure.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Database for Transaction<'_> {
    type Dialect = PostgresDialect;

    fn name(&self) -> &str {
        &self.pool.target.name
    }

    async fn query(&self, sql: &str, params: Vec<Param>) -> Result<Vec<journal::row::Row>, Error> {
        let found = self.session.query(sql, &values(&params)).await.and_then(|rows| read_all(&rows));
        found.map_err(|failure| {
            let error = Error::Unavailable { store: self.name().to_owned(), reason: "failed".to_owned() };
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
            error
        })
    }

    async fn execute(&self, sql: &str, params: Vec<Param>) -> Result<Vec<journal::row::Row>, Error> {
        Database::query(self, sql, params).await
    }
}
