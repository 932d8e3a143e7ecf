//! What runs wrote, record by record.

use crate::journal::Written;
use crate::journal::encoding::time;
use crate::run::{RunId, Write};

use super::failure::Failure;
use super::pool::Pool;
use super::row::{Columns, escape_nul, escape_nul_some, number};

/// What was written to a record, newest first.
pub(super) async fn of_record(
    pool: &Pool,
    record: &str,
    connection: Option<&str>,
    limit: usize,
) -> Result<Vec<Written>, Failure> {
    let sql = "SELECT r.id, r.recipe, w.at, w.connection, w.record, w.operation, w.fields
               FROM writes w JOIN runs r ON r.seq = w.run
               WHERE w.record = $1 AND ($2::text IS NULL OR w.connection = $2)
               ORDER BY w.at DESC, w.seq DESC LIMIT $3";
    let rows = pool.query(sql, &[&escape_nul(record), &escape_nul_some(connection), &number(limit)]).await?;
    let written = |row| {
        let mut columns = Columns::of(row);
        Ok(Written {
            run: RunId(columns.text()?),
            recipe: columns.text()?,
            at: time(columns.value()?),
            write: Write {
                connection: columns.text()?,
                record: columns.text()?,
                operation: columns.text()?,
                fields: serde_json::from_str(&columns.text()?)?,
            },
        })
    };
    rows.iter().map(written).collect()
}
