//! Where the store of a trial is.

use std::sync::Arc;

use hob::journal::{Access, Journal, Postgres, Sqlite};
use tempfile::TempDir;

use crate::postgres::Cluster;

/// A place for a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// A place of its own for one trial.
pub enum Place {
    Sqlite(TempDir),
    Postgres(String),
}

impl Kind {
    /// Whether there is such a thing here. Says so where not.
    pub fn is_there(self) -> bool {
        self == Self::Sqlite || Cluster::shared().is_some()
    }

    pub fn place(self) -> Place {
        match self {
            Self::Sqlite => Place::Sqlite(tempfile::tempdir().unwrap()),
            Self::Postgres => Place::Postgres(Cluster::shared().unwrap().store()),
        }
    }
}

impl Place {
    /// The store, opened once more. On SQLite nobody else may have it open.
    pub async fn open(&self) -> Arc<dyn Journal> {
        match self {
            Self::Sqlite(folder) => {
                Arc::new(Sqlite::open(&folder.path().join("hob.db"), Access::Runner).unwrap())
            }
            Self::Postgres(address) => Arc::new(Postgres::open(address, Access::Runner).await.unwrap()),
        }
    }
}
