//! Connections that read while the writer writes; each read sees one moment of the store.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::journal::Error;

use super::failure::Failure;
use super::schema::open_reader;

/// Reads at a time.
const SEATS: usize = 4;

/// A few connections, opened when first needed.
pub(super) struct Readers {
    path: PathBuf,
    store: Arc<str>,
    seats: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    /// None open yet.
    pub(super) fn new(path: PathBuf, store: Arc<str>) -> Self {
        Self { path, store, seats: Semaphore::new(SEATS), idle: Mutex::default() }
    }

    /// Does `act` on a thread that may wait for the disk.
    pub(super) async fn read<T, F>(self: &Arc<Self>, act: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let unavailable =
            |reason: &str| Error::Unavailable { store: self.store.to_string(), reason: reason.to_owned() };
        let _seat =
            self.seats.acquire().await.map_err(|_| unavailable("has been closed; start hob again"))?;
        let readers = Arc::clone(self);
        tokio::task::spawn_blocking(move || readers.attempt(act))
            .await
            .map_err(|_| {
                unavailable("cannot be read: its reader stopped; this is a bug in hob, please report it")
            })?
            .map_err(|failure| failure.of(&self.store))
    }

    fn attempt<T>(&self, act: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Failure> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = idle().pop();
        let conn = waiting.map_or_else(|| open_reader(&self.path), Ok)?;
        let snapshot = conn.unchecked_transaction()?;
        let result = act(&snapshot)?;
        snapshot.finish()?;
        // After a failure the connection is not used again; it goes with this function.
        if !self.seats.is_closed() {
            idle().push(conn);
        }
        Ok(result)
    }

    /// Takes no more reads and closes what is open.
    pub(super) fn close(&self) {
        self.seats.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
