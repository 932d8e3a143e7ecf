//! What runs wrote, record by record.

use chrono::{DateTime, Utc};

use crate::journal::encoding::stamp;
use crate::run::Write;

use super::failure::Failure;
use super::writer::Tx;

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
