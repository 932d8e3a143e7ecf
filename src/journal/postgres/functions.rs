//! The functions that the store's statements call, installed by whoever opens the store. They are no part of its
//! format: each version of them has names of its own, so processes of several versions work side by side while they
//! are replaced one by one. Those of other versions stay, for a process of theirs may still call them.

use super::failure::Failure;
use super::session::Session;
use super::statements::{filled, functions};

/// Takes the right to change tables and functions of a schema, one process at a time.
pub(super) const HOLD: &str = "SELECT pg_advisory_xact_lock(hashtextextended('hob ' || $1, 0))";

/// Whether a function is there.
const IS_THERE: &str = "SELECT 1 FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE n.nspname = $1 AND p.proname = $2";

/// Installs this version's functions in `schema`, unless they are there: all or none are.
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
    session.query(HOLD, &[&schema]).await?;
    // Another process may have been faster.
    if is_installed(session, schema).await? {
        return Ok(());
    }
    session.batch(&functions()).await
}

async fn is_installed(session: &Session, schema: &str) -> Result<bool, Failure> {
    let name = filled("hob_append_vN");
    Ok(!session.query(IS_THERE, &[&schema, &name]).await?.is_empty())
}
