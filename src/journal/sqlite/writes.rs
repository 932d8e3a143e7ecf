//! Writes of runs, by record.

use chrono::{DateTime, Utc};

use crate::journal::encoding::{ORPHAN, stamp, write_text};
use crate::run::Write;

use super::failure::Failure;
use super::writer::Tx;

/// Deletes the oldest writes of pruned runs.
pub(super) const FORGET: &str = "DELETE FROM writes WHERE seq IN (SELECT seq FROM
     (SELECT seq, at FROM writes WHERE run = 0 ORDER BY seq LIMIT ?2) WHERE at < ?1)";

/// Stores a write of a run.
pub(super) fn insert(tx: &Tx<'_>, run: i64, at: DateTime<Utc>, write: &Write) -> Result<(), Failure> {
    tx.conn
        .prepare_cached(
            "INSERT INTO writes (run, record, connection, operation, fields, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((run, &write.record, &write.connection, &write.operation, write_text(write)?, stamp(at)))?;
    Ok(())
}

/// Before a run is pruned: keeps its writes that contain their origin.
pub(super) fn keep_writes(tx: &Tx<'_>, run: i64) -> Result<(), Failure> {
    tx.conn
        .prepare_cached("DELETE FROM writes WHERE run = ?1 AND fields NOT LIKE '{\"$origin\"%'")?
        .execute([run])?;
    tx.conn.prepare_cached("UPDATE writes SET run = ?2 WHERE run = ?1")?.execute([run, ORPHAN])?;
    Ok(())
}
