//! Writes of runs, by record.

use crate::journal::database::{Database, Param, rows};
use crate::journal::encoding::parse_write;
use crate::journal::{Error, Written};
use crate::run::{RunId, Write};

/// Writes to a record.
pub(in crate::journal) const BY_RECORD: &str =
    "SELECT r.id, r.recipe, w.at, w.record, w.connection, w.operation, w.fields
     FROM writes w LEFT JOIN runs r ON r.seq = w.run
     WHERE w.record = $1 AND (CAST($2 AS TEXT) IS NULL OR w.connection = $2)
     ORDER BY w.at DESC, w.seq DESC LIMIT $3";

/// Writes to a record, newest first.
pub(in crate::journal) async fn by_record(
    db: &impl Database,
    record: &str,
    connection: Option<&str>,
    limit: usize,
) -> Result<Vec<Written>, Error> {
    let params = vec![record.into(), connection.into(), Param::count(limit)];
    let found = rows(db, BY_RECORD, params, |row| {
        let run = row.text_or_none()?.map(RunId).zip(row.text_or_none()?);
        let at = row.time()?;
        let (record, connection, operation) = (row.text()?, row.text()?, row.text()?);
        let (fields, origin) = parse_write(row.json()?)?;
        Ok(Written::new(run, at, Write { connection, record, operation, fields, origin }))
    });
    let mut found: Vec<Written> = found.await?.into_iter().flatten().collect();
    // A repeated import stores writes of pruned runs twice.
    found.dedup_by(|next, kept| kept.write.origin.is_some() && next == kept);
    Ok(found)
}
