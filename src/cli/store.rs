//! The workspace's store, opened.

use std::sync::Arc;

use super::Failure;
use crate::journal::{Access, Journal, Sqlite};
use crate::workspace::{Store, Workspace};

/// Opens the store; one that is missing is made.
pub(super) fn open(workspace: &Workspace, access: Access) -> Result<Arc<dyn Journal>, Failure> {
    let Store::Sqlite(path) = &workspace.store;
    let journal = Sqlite::open(path, access).map_err(Failure::world)?;
    Ok(Arc::new(journal))
}

/// Opens the store if there is one: looking makes none.
pub(super) fn open_existing(
    workspace: &Workspace,
    access: Access,
) -> Result<Option<Arc<dyn Journal>>, Failure> {
    let Store::Sqlite(path) = &workspace.store;
    if path.exists() { open(workspace, access).map(Some) } else { Ok(None) }
}
