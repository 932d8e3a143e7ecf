//! The connections of a process, made when first needed and again when they are lost.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;
use tokio_postgres::Row;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::Target;
use super::failure::Failure;
use super::retry::RetryBackoff;
use super::session::{Ask, Params, Session};

/// Connections of a process at most, without the one that listens.
const SEATS: usize = 8;

/// A few connections.
pub(super) struct Pool {
    target: Arc<Target>,
    tls: MakeRustlsConnect,
    seats: Semaphore,
    /// Used last, taken first: then few are in use.
    idle: Mutex<Vec<Session>>,
}

impl Ask for Pool {
    async fn ask(&self, sql: &str, params: Params<'_>) -> Result<Vec<Row>, Failure> {
        self.query(sql, params).await
    }
}

impl Pool {
    /// A pool with one connection in it.
    pub(super) fn new(target: Arc<Target>, tls: MakeRustlsConnect, first: Session) -> Self {
        Self { target, tls, seats: Semaphore::new(SEATS), idle: Mutex::new(vec![first]) }
    }

    /// Does one statement that may be done twice, and again if a connection is lost.
    pub(super) async fn query(&self, sql: &str, params: Params<'_>) -> Result<Vec<Row>, Failure> {
        let mut backoff = RetryBackoff::new();
        loop {
            match self.attempt(sql, params).await {
                Ok(rows) => return Ok(rows),
                Err(failure) => backoff.pause_before_retry(failure).await?,
            }
        }
    }

    /// Does one statement, once.
    pub(super) async fn attempt(&self, sql: &str, params: Params<'_>) -> Result<Vec<Row>, Failure> {
        let _seat = self.seats.acquire().await.map_err(|_| Failure::Closed)?;
        let session = self.take().await?;
        let answer = session.query(sql, params).await;
        self.give(session, answer.as_ref().err());
        answer
    }

    /// Does statements in one transaction that may be done twice, and again if a connection is lost.
    pub(super) async fn together(&self, statements: &[(&str, Params<'_>)]) -> Result<(), Failure> {
        let mut backoff = RetryBackoff::new();
        loop {
            match self.attempt_together(statements).await {
                Ok(()) => return Ok(()),
                Err(failure) => backoff.pause_before_retry(failure).await?,
            }
        }
    }

    async fn attempt_together(&self, statements: &[(&str, Params<'_>)]) -> Result<(), Failure> {
        let _seat = self.seats.acquire().await.map_err(|_| Failure::Closed)?;
        // After a failure the connection goes, and the transaction with it.
        let session = self.take().await?;
        session.batch("BEGIN").await?;
        for (sql, params) in statements {
            session.query(sql, params).await?;
        }
        session.batch("COMMIT").await?;
        self.give(session, None);
        Ok(())
    }

    /// A connection apart from the others, for what lasts.
    pub(super) async fn apart(&self) -> Result<Session, Failure> {
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
            // What took this one away may have taken others.
            self.idle().retain(|session| !session.is_closed());
        } else if !self.seats.is_closed() {
            self.idle().push(session);
        }
    }

    /// Takes no more statements and closes what is open.
    pub(super) fn close(&self) {
        self.seats.close();
        self.idle().clear();
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
