//! What runs wrote, record by record.

use crate::journal::database::{Database, Param, rows};
use crate::journal::{Error, Written};
use crate::run::{RunId, Write};

/// What was written to a record.
pub(in crate::journal) const OF_RECORD: &str =
    "SELECT r.id, r.recipe, w.at, w.record, w.connection, w.operation, w.fields
     FROM writes w JOIN runs r ON r.seq = w.run
     WHERE w.record = $1 AND (CAST($2 AS TEXT) IS NULL OR w.connection = $2)
     ORDER BY w.at DESC, w.seq DESC LIMIT $3";

/// What was written to a record, newest first.
pub(in crate::journal) async fn of_record(
    db: &impl Database,
    record: &str,
    connection: Option<&str>,
    limit: usize,
) -> Result<Vec<Written>, Error> {
    rows(db, OF_RECORD, vec![record.into(), connection.into(), Param::count(limit)], |row| {
        Ok(Written {
            run: RunId(row.text()?),
            recipe: row.text()?,
            at: row.time()?,
            write: Write {
                record: row.text()?,
                connection: row.text()?,
                operation: row.text()?,
                fields: row.json()?,
            },
        })
    })
    .await
}
