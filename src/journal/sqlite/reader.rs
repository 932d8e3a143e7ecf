//! A pool of read connections; each read sees one snapshot.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::journal::Error;

use super::failure::Failure;
use super::schema::open_reader;

/// Concurrent reads.
const MAX_CONNECTIONS: usize = 4;

/// A few connections, opened on demand.
pub(super) struct Readers {
    path: PathBuf,
    store: Arc<str>,
    permits: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    /// An empty pool.
    pub(super) fn new(path: PathBuf, store: Arc<str>) -> Self {
        Self { path, store, permits: Semaphore::new(MAX_CONNECTIONS), idle: Mutex::default() }
    }

    /// Runs `act` on a blocking thread.
    pub(super) async fn read<T, F>(self: &Arc<Self>, act: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let unavailable =
            |reason: &str| Error::Unavailable { store: self.store.to_string(), reason: reason.to_owned() };
        let _seat =
            self.permits.acquire().await.map_err(|_| unavailable("has been closed; start hob again"))?;
        let readers = Arc::clone(self);
        tokio::task::spawn_blocking(move || readers.attempt(act))
            .await
            .map_err(|_| {
                unavailable("cannot be read: its reader stopped; this is a bug in hob, please report it")
            })?
            .map_err(|failure| failure.into_error(&self.store))
    }

    fn attempt<T>(&self, act: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Failure> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = idle().pop();
        let conn = waiting.map_or_else(|| open_reader(&self.path), Ok)?;
        let snapshot = conn.unchecked_transaction()?;
        let result = act(&snapshot)?;
        snapshot.finish()?;
        // After a failure the connection is dropped.
        if !self.permits.is_closed() {
            idle().push(conn);
        }
        Ok(result)
    }

    /// Accepts no more reads and closes idle connections.
    pub(super) fn close(&self) {
        self.permits.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
