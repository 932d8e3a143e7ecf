//! Where the store of a trial is.

use std::sync::Arc;

use hob::journal::{Access, Journal, Postgres, Sqlite};
use tempfile::TempDir;

use crate::cluster::Cluster;

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
            Self::Sqlite(folder) => {
                Arc::new(Sqlite::open(&folder.path().join("hob.db"), Access::Runner).unwrap())
            }
            Self::Postgres(address) => Arc::new(Postgres::open(address, Access::Runner).await.unwrap()),
        }
    }
}
