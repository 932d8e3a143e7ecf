//! Runs that wait for a connection whose credential was refused.

use rusqlite::OptionalExtension;

use crate::journal::encoding::code;
use crate::run::RunState;

use super::failure::Failure;
use super::writer::Tx;

/// Removes the hold of a connection and makes its runs due; returns whether it was held.
pub(super) fn release(tx: &mut Tx<'_>, connection: &str) -> Result<bool, Failure> {
    let reason: Option<String> = tx
        .conn
        .prepare_cached("DELETE FROM holds WHERE connection = ?1 RETURNING reason")?
        .query_row([connection], |row| row.get(0))
        .optional()?;
    let Some(reason) = reason else { return Ok(false) };
    tx.conn
        .prepare_cached("UPDATE runs SET due = 1 WHERE due > 0 AND state = ?1 AND error = ?2")?
        .execute((code(RunState::Waiting), reason))?;
    tx.counters.work = true;
    Ok(true)
}
