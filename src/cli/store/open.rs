//! A store, opened.

use std::sync::Arc;

use crate::cli::Failure;
use crate::journal::{Access, Journal, Sqlite};
use crate::workspace::{Store, Workspace};

/// Opens the workspace's store; one that is missing is made.
pub(in crate::cli) async fn open(workspace: &Workspace, access: Access) -> Result<Arc<dyn Journal>, Failure> {
    open_store(&workspace.store, access).await
}

/// Opens `store`; one that is missing is made.
pub(super) async fn open_store(store: &Store, access: Access) -> Result<Arc<dyn Journal>, Failure> {
    let Store::Sqlite(path) = store;
    let journal = Sqlite::open(path, access).map_err(Failure::world)?;
    Ok(Arc::new(journal))
}

/// Opens the workspace's store if there is one: looking makes none.
pub(in crate::cli) async fn open_existing(
    workspace: &Workspace,
    access: Access,
) -> Result<Option<Arc<dyn Journal>>, Failure> {
    open_existing_store(&workspace.store, access).await
}

/// Opens `store` if it is there.
pub(super) async fn open_existing_store(
    store: &Store,
    access: Access,
) -> Result<Option<Arc<dyn Journal>>, Failure> {
    let Store::Sqlite(path) = store;
    if path.exists() { open_store(store, access).await.map(Some) } else { Ok(None) }
}
