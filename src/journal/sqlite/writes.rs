//! What runs wrote, record by record.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row};

use crate::journal::Written;
use crate::journal::encoding::{stamp, time};
use crate::run::{RunId, Write};

use super::failure::Failure;
use super::writer::Tx;

/// What was written to a record.
pub(super) const OF_RECORD: &str =
    "SELECT w.record, w.connection, w.operation, w.fields, w.at, r.id, r.recipe
     FROM writes w JOIN runs r ON r.seq = w.run
     WHERE w.record = ?1 AND (?2 IS NULL OR w.connection = ?2)
     ORDER BY w.at DESC, w.seq DESC LIMIT ?3";

/// Notes what the run with this number wrote.
pub(super) fn note(tx: &Tx<'_>, run: i64, at: DateTime<Utc>, write: &Write) -> Result<(), Failure> {
    tx.conn
        .prepare_cached(
            "INSERT INTO writes (run, record, connection, operation, fields, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((
            run,
            &write.record,
            &write.connection,
            &write.operation,
            serde_json::to_string(&write.fields)?,
            stamp(at),
        ))?;
    Ok(())
}

/// What was written to a record, newest first.
pub(super) fn of_record(
    conn: &Connection,
    record: &str,
    connection: Option<&str>,
    limit: usize,
) -> Result<Vec<Written>, Failure> {
    let mut read = conn.prepare_cached(OF_RECORD)?;
    let mut rows = read.query((record, connection, limit as i64))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (at, write) = one(row)?;
        found.push(Written { run: RunId(row.get(5)?), recipe: row.get(6)?, at, write });
    }
    Ok(found)
}

/// What the run with this number wrote, oldest first.
pub(super) fn of_run(conn: &Connection, run: i64) -> Result<Vec<(DateTime<Utc>, Write)>, Failure> {
    let mut read = conn.prepare_cached(
        "SELECT record, connection, operation, fields, at FROM writes WHERE run = ?1 ORDER BY seq",
    )?;
    let mut rows = read.query([run])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(one(row)?);
    }
    Ok(found)
}

/// A write, from the columns `record, connection, operation, fields, at`.
fn one(row: &Row<'_>) -> Result<(DateTime<Utc>, Write), Failure> {
    let write = Write {
        record: row.get(0)?,
        connection: row.get(1)?,
        operation: row.get(2)?,
        fields: serde_json::from_str(&row.get::<_, String>(3)?)?,
    };
    Ok((time(row.get(4)?), write))
}
