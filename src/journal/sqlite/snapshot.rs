//! One moment of the file, held by a transaction that only reads.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use rusqlite::Connection;

use crate::journal::{Error, Page, Part, Snapshot};

use super::failure::Failure;
use super::schema::open_reader;
use super::{export, fingerprint};

/// A moment of a file.
pub(super) struct ReadSnapshot {
    conn: Arc<Mutex<Connection>>,
    store: Arc<str>,
}

impl ReadSnapshot {
    /// The present one.
    pub(super) fn begin(path: &Path, store: Arc<str>) -> Result<Self, Failure> {
        let conn = open_reader(path)?;
        conn.execute_batch("BEGIN")?;
        // The first read decides which moment it is.
        conn.query_row("SELECT count(*) FROM counters", [], |_| Ok(()))?;
        Ok(Self { conn: Arc::new(Mutex::new(conn)), store })
    }

    async fn read<T, F>(&self, act: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let conn = Arc::clone(&self.conn);
        let read = move || act(&conn.lock().unwrap_or_else(PoisonError::into_inner));
        let done = tokio::task::spawn_blocking(read).await.map_err(|_| Error::Unavailable {
            store: self.store.to_string(),
            reason: "cannot be read: its reader stopped; this is a bug in hob, please report it".to_owned(),
        })?;
        done.map_err(|failure| failure.of(&self.store))
    }
}

#[async_trait]
impl Snapshot for ReadSnapshot {
    async fn export(&self, part: Part, after: Option<&str>, limit: usize) -> Result<Page, Error> {
        let after = after.map(str::to_owned);
        self.read(move |conn| export::page(conn, part, after.as_deref(), limit)).await
    }

    async fn fingerprint(&self) -> Result<String, Error> {
        self.read(fingerprint::of).await
    }
}
