//! What runs wrote, record by record.

use chrono::{DateTime, Utc};

use crate::journal::encoding::{ORPHAN, stamp, write_text};
use crate::run::Write;

use super::failure::Failure;
use super::writer::Tx;

/// Forgets the oldest writes of runs that are forgotten.
pub(super) const FORGET: &str = "DELETE FROM writes WHERE seq IN (SELECT seq FROM
     (SELECT seq, at FROM writes WHERE run = 0 ORDER BY seq LIMIT ?2) WHERE at < ?1)";

/// Notes what the run with this number wrote.
pub(super) fn note(tx: &Tx<'_>, run: i64, at: DateTime<Utc>, write: &Write) -> Result<(), Failure> {
    tx.conn
        .prepare_cached(
            "INSERT INTO writes (run, record, connection, operation, fields, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((run, &write.record, &write.connection, &write.operation, write_text(write)?, stamp(at)))?;
    Ok(())
}

/// The run with this number is about to be forgotten: what it wrote outlives it, where it says by itself who wrote.
pub(super) fn outlive(tx: &Tx<'_>, run: i64) -> Result<(), Failure> {
    tx.conn
        .prepare_cached("DELETE FROM writes WHERE run = ?1 AND fields NOT LIKE '{\"$origin\"%'")?
        .execute([run])?;
    tx.conn.prepare_cached("UPDATE writes SET run = ?2 WHERE run = ?1")?.execute([run, ORPHAN])?;
    Ok(())
}
