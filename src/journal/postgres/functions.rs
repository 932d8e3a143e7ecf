//! The SQL functions that the store calls, installed when it is opened. They are not part of the format: the names
//! contain a version, so that processes of several versions work side by side during a rolling upgrade. Functions of
//! other versions stay installed, because a process may still call them.

use super::failure::Failure;
use super::session::Session;
use super::statements::{expand, functions};

/// Locks a schema for changes of tables and functions.
pub(super) const LOCK_SCHEMA: &str = "SELECT pg_advisory_xact_lock(hashtextextended('hob ' || $1, 0))";

/// Whether a function is installed.
const IS_THERE: &str = "SELECT 1 FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE n.nspname = $1 AND p.proname = $2";

/// Installs this version's functions in `schema`, all or none, unless they are installed.
pub(super) async fn install(session: &Session, schema: &str) -> Result<(), Failure> {
    if is_installed(session, schema).await? {
        return Ok(());
    }
    session.batch("BEGIN").await?;
    let result = install_within(session, schema).await;
    let end = if result.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = session.batch(end).await;
    result.and(ended)
}

async fn install_within(session: &Session, schema: &str) -> Result<(), Failure> {
    session.query(LOCK_SCHEMA, &[&schema]).await?;
    // Another process may have installed them meanwhile.
    if is_installed(session, schema).await? {
        return Ok(());
    }
    session.batch(&functions()).await
}

async fn is_installed(session: &Session, schema: &str) -> Result<bool, Failure> {
    let name = expand("hob_append_vN");
    Ok(!session.query(IS_THERE, &[&schema, &name]).await?.is_empty())
}
