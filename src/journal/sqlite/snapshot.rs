//! A snapshot, held by a read-only transaction.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use rusqlite::Connection;

use crate::journal::database::{Database, Param};
use crate::journal::queries::{export, fingerprint};
use crate::journal::row::Row;
use crate::journal::{Error, Page, Part, Snapshot};

use super::dialect::SqliteDialect;
use super::failure::Failure;
use super::row::perform;
use super::schema::open_reader;

/// A snapshot.
pub(super) struct ReadSnapshot {
    conn: Arc<Mutex<Connection>>,
    store: Arc<str>,
}

impl ReadSnapshot {
    /// Starts a snapshot now.
    pub(super) fn begin(path: &Path, store: Arc<str>) -> Result<Self, Failure> {
        let conn = open_reader(path)?;
        conn.execute_batch("BEGIN")?;
        // SQLite takes the snapshot at the first read.
        conn.query_row("SELECT count(*) FROM counters", [], |_| Ok(()))?;
        Ok(Self { conn: Arc::new(Mutex::new(conn)), store })
    }
}

impl Database for ReadSnapshot {
    type Dialect = SqliteDialect;

    fn name(&self) -> &str {
        &self.store
    }

    async fn query(&self, sql: &str, params: Vec<Param>) -> Result<Vec<Row>, Error> {
        let (conn, sql) = (Arc::clone(&self.conn), sql.to_owned());
        let read = move || perform(&conn.lock().unwrap_or_else(PoisonError::into_inner), &sql, params);
        let done = tokio::task::spawn_blocking(read).await.map_err(|_| Error::Unavailable {
            store: self.store.to_string(),
            reason: "cannot be read: its reader stopped; this is a bug in hob, please report it".to_owned(),
        })?;
        done.map_err(|failure| failure.into_error(&self.store))
    }

    async fn execute(&self, sql: &str, params: Vec<Param>) -> Result<Vec<Row>, Error> {
        self.query(sql, params).await
    }
}

#[async_trait]
impl Snapshot for ReadSnapshot {
    async fn export(&self, part: Part, after: Option<&str>, limit: usize) -> Result<Page, Error> {
        export::page(self, part, after, limit).await
    }

    async fn fingerprint(&self) -> Result<String, Error> {
        fingerprint::compute(self).await
    }
}
