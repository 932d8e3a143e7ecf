//! Opens stores.

use std::sync::Arc;

use super::import_marker::ensure_complete;
use crate::cli::Failure;
use crate::journal::{Access, Journal, Postgres, Sqlite};
use crate::workspace::{Store, Workspace};

/// Opens the workspace's store for changes; creates it if missing, rejects an incomplete import.
pub(in crate::cli) async fn open(workspace: &Workspace, access: Access) -> Result<Arc<dyn Journal>, Failure> {
    whole(open_store(&workspace.store, access).await?, workspace).await
}

/// Opens the workspace's store for changes, if it exists; rejects an incomplete import.
pub(in crate::cli) async fn open_present(
    workspace: &Workspace,
    access: Access,
) -> Result<Option<Arc<dyn Journal>>, Failure> {
    match open_existing(workspace, access).await? {
        Some(journal) => whole(journal, workspace).await.map(Some),
        None => Ok(None),
    }
}

async fn whole(journal: Arc<dyn Journal>, workspace: &Workspace) -> Result<Arc<dyn Journal>, Failure> {
    match ensure_complete(journal.as_ref(), &workspace.store).await {
        Ok(()) => Ok(journal),
        Err(failure) => {
            journal.close().await;
            Err(failure)
        }
    }
}

/// Opens `store`; creates it if missing.
pub(super) async fn open_store(store: &Store, access: Access) -> Result<Arc<dyn Journal>, Failure> {
    Ok(match store {
        Store::Sqlite(path) => Arc::new(Sqlite::open(path, access).map_err(Failure::unavailable)?),
        Store::Postgres(address) => {
            Arc::new(Postgres::open(address.expose(), access).await.map_err(Failure::unavailable)?)
        }
    })
}

/// Opens the workspace's store for reading, if it exists; never creates it.
pub(in crate::cli) async fn open_existing(
    workspace: &Workspace,
    access: Access,
) -> Result<Option<Arc<dyn Journal>>, Failure> {
    open_existing_store(&workspace.store, access).await
}

/// Opens `store` if it exists.
pub(super) async fn open_existing_store(
    store: &Store,
    access: Access,
) -> Result<Option<Arc<dyn Journal>>, Failure> {
    match store {
        Store::Sqlite(path) if !path.exists() => Ok(None),
        Store::Sqlite(_) => open_store(store, access).await.map(Some),
        Store::Postgres(address) => {
            let opened = Postgres::open_existing(address.expose(), access).await;
            Ok(opened.map_err(Failure::unavailable)?.map(|journal| Arc::new(journal) as Arc<dyn Journal>))
        }
    }
}
