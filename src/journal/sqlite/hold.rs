//! Connections whose credential is refused, and the runs that wait for them.

use rusqlite::{Connection, OptionalExtension};

use crate::journal::HeldConnection;
use crate::journal::encoding::TIMES;
use crate::run::RunState;

use super::failure::Failure;
use super::row::{code, stamp, time};
use super::writer::Tx;

/// Notes that a connection is held.
pub(super) fn hold(tx: &Tx<'_>, held: &HeldConnection) -> Result<(), Failure> {
    tx.conn
        .prepare_cached(
            "INSERT INTO holds (connection, reason, since) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET reason = excluded.reason, since = excluded.since",
        )?
        .execute((&held.connection, &held.reason, stamp(held.since)))?;
    Ok(())
}

/// Lets a connection go, and the runs that waited for it; whether it was held.
pub(super) fn release(tx: &mut Tx<'_>, connection: &str) -> Result<bool, Failure> {
    let reason: Option<String> = tx
        .conn
        .prepare_cached("DELETE FROM holds WHERE connection = ?1 RETURNING reason")?
        .query_row([connection], |row| row.get(0))
        .optional()?;
    let Some(reason) = reason else { return Ok(false) };
    tx.conn
        .prepare_cached("UPDATE runs SET due = priority WHERE due >= ?1 AND state = ?2 AND error = ?3")?
        .execute((TIMES, code(RunState::Waiting), reason))?;
    tx.counters.work = true;
    Ok(true)
}

/// All connections that are held, by name.
pub(super) fn all(conn: &Connection) -> Result<Vec<HeldConnection>, Failure> {
    let mut read = conn.prepare_cached("SELECT connection, reason, since FROM holds ORDER BY connection")?;
    let held = read.query_map([], |row| {
        Ok(HeldConnection { connection: row.get(0)?, reason: row.get(1)?, since: time(row.get(2)?) })
    })?;
    Ok(held.collect::<Result<_, _>>()?)
}
