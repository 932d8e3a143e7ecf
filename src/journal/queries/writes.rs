//! Writes of runs, by record.

use chrono::{DateTime, Utc};

use crate::journal::database::{Database, Param, rows};
use crate::journal::encoding::{parse_write, stamp};
use crate::journal::row::{Row, Unreadable};
use crate::journal::{Error, Written};
use crate::run::{RunId, Write};

/// Writes to a record.
pub(in crate::journal) const BY_RECORD: &str =
    "SELECT r.id, r.recipe, w.at, w.record, w.connection, w.operation, w.fields
     FROM writes w LEFT JOIN runs r ON r.seq = w.run
     WHERE w.record = $1 AND (CAST($2 AS TEXT) IS NULL OR w.connection = $2)
     ORDER BY w.at DESC, w.seq DESC LIMIT $3";

/// The records that runs of `recipe` wrote to at `since` or later, with their connections, the last written ones first.
pub(in crate::journal) async fn records(
    db: &impl Database,
    recipe: &str,
    since: DateTime<Utc>,
    limit: usize,
) -> Result<Vec<(String, String)>, Error> {
    let sql = "SELECT w.connection, w.record FROM runs r JOIN writes w ON w.run = r.seq
               WHERE r.recipe = $1 AND w.at >= $2
               GROUP BY w.connection, w.record ORDER BY max(w.at) DESC, w.connection, w.record LIMIT $3";
    let params = vec![recipe.into(), stamp(since).into(), Param::count(limit)];
    rows(db, sql, params, |row| Ok((row.text()?, row.text()?))).await
}

/// Writes to a record, newest first.
pub(in crate::journal) async fn by_record(
    db: &impl Database,
    record: &str,
    connection: Option<&str>,
    limit: usize,
) -> Result<Vec<Written>, Error> {
    let params = vec![record.into(), connection.into(), Param::count(limit)];
    let found = rows(db, BY_RECORD, params, written);
    let mut found: Vec<Written> = found.await?.into_iter().flatten().collect();
    // A repeated import stores writes of pruned runs twice.
    found.dedup_by(|next, kept| kept.write.origin.is_some() && next == kept);
    Ok(found)
}

/// A write, from the columns of [`BY_RECORD`]; `None` if its run was pruned and it does not tell it.
pub(super) fn written(row: &mut Row) -> Result<Option<Written>, Unreadable> {
    let run = row.text_or_none()?.map(RunId).zip(row.text_or_none()?);
    let at = row.time()?;
    let (record, connection, operation) = (row.text()?, row.text()?, row.text()?);
    let (fields, origin) = parse_write(row.json()?)?;
    Ok(Written::new(run, at, Write { connection, record, operation, fields, origin }))
}
