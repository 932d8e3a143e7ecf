//! Where the store of a trial is.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hob::journal::{Access, Error, Journal, Postgres, Sqlite};
use tempfile::TempDir;

use crate::cluster::Cluster;

/// How long another test may take to start a process.
const LONGEST_START: Duration = Duration::from_secs(30);

/// A kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    Sqlite,
    Postgres,
}

/// The location of one trial's store.
pub enum StoreLocation {
    Sqlite(TempDir),
    Postgres(String),
}

impl StoreKind {
    /// Whether such a store is available here; prints a note if not.
    pub fn is_available(self) -> bool {
        self == Self::Sqlite || Cluster::shared().is_some()
    }

    pub fn location(self) -> StoreLocation {
        match self {
            Self::Sqlite => StoreLocation::Sqlite(tempfile::tempdir().unwrap()),
            Self::Postgres => StoreLocation::Postgres(Cluster::shared().unwrap().store()),
        }
    }
}

impl StoreLocation {
    /// Opens the store. An SQLite store can be open only once.
    pub async fn open(&self) -> Arc<dyn Journal> {
        match self {
            Self::Sqlite(folder) => Arc::new(open_sqlite(&folder.path().join("hob.db")).await),
            Self::Postgres(address) => Arc::new(Postgres::open(address, Access::Runner).await.unwrap()),
        }
    }
}

/// Opens a store that was closed before. A process that another test is starting has a copy of the closed file, and with it
/// the lock, until it executes its program.
async fn open_sqlite(path: &Path) -> Sqlite {
    let begun = Instant::now();
    loop {
        match Sqlite::open(path, Access::Runner) {
            Err(Error::Busy { .. }) if begun.elapsed() < LONGEST_START => tokio::task::yield_now().await,
            opened => return opened.unwrap(),
        }
    }
}
