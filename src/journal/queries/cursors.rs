//! Pollers' cursors and the records they have seen.

use std::collections::HashMap;

use crate::event::{Cursor, CursorKey};
use crate::journal::database::{Database, Param, row, rows};
use crate::journal::{Error, SeenCount};

/// Records per lookup. A fixed number, so that one prepared statement serves all.
const LOOKUP_SIZE: usize = 64;

/// First page of the records last seen before a scan. Pages continue by key, so that all pages together read the
/// table once. The empty text sorts before every other.
pub(in crate::journal) const VANISHED: &str =
    "SELECT s.record FROM seen s WHERE s.cursor = (SELECT c.seq FROM cursors c WHERE c.key = $1)
     AND s.scan < $2 AND s.record >= $3 ORDER BY s.record LIMIT $4";
/// A later page.
pub(in crate::journal) const VANISHED_AFTER: &str =
    "SELECT s.record FROM seen s WHERE s.cursor = (SELECT c.seq FROM cursors c WHERE c.key = $1)
     AND s.scan < $2 AND s.record > $3 ORDER BY s.record LIMIT $4";

/// The cursor of one poller.
pub(in crate::journal) async fn cursor(db: &impl Database, key: &CursorKey) -> Result<Option<Cursor>, Error> {
    row(db, "SELECT cursor FROM cursors WHERE key = $1", vec![(&key.0).into()], |row| row.json()).await
}

/// All cursors, by key.
pub(in crate::journal) async fn cursors(db: &impl Database) -> Result<Vec<Cursor>, Error> {
    rows(db, "SELECT cursor FROM cursors ORDER BY key", vec![], |row| row.json()).await
}

/// Fingerprints of those of `records` that were seen.
pub(in crate::journal) async fn seen(
    db: &impl Database,
    key: &CursorKey,
    records: &[String],
) -> Result<HashMap<String, String>, Error> {
    let places: Vec<String> = (0..LOOKUP_SIZE).map(|place| format!("${}", place + 2)).collect();
    let sql = format!(
        "SELECT s.record, s.fingerprint FROM seen s
         WHERE s.cursor = (SELECT c.seq FROM cursors c WHERE c.key = $1) AND s.record IN ({})",
        places.join(", ")
    );
    let mut known = HashMap::new();
    for records in records.chunks(LOOKUP_SIZE) {
        // Pads the last page by repeating its last record.
        let records = (0..LOOKUP_SIZE).filter_map(|place| records.get(place).or(records.last()));
        let params = std::iter::once(&key.0).chain(records).map(Param::from).collect();
        known.extend(rows(db, &sql, params, |row| Ok((row.text()?, row.text()?))).await?);
    }
    Ok(known)
}

/// Counts the records seen, and those last seen before scan `before`.
pub(in crate::journal) async fn count_seen(
    db: &impl Database,
    key: &CursorKey,
    before: u64,
) -> Result<SeenCount, Error> {
    let sql = "SELECT count(*), count(*) FILTER (WHERE s.scan < $1) FROM seen s
               WHERE s.cursor = (SELECT c.seq FROM cursors c WHERE c.key = $2)";
    let params = vec![Param::count(before), (&key.0).into()];
    let count =
        row(db, sql, params, |row| Ok(SeenCount { known: row.count()?, missing: row.count()? })).await?;
    Ok(count.unwrap_or_default())
}

/// Records last seen before `scan`, by id.
pub(in crate::journal) async fn vanished(
    db: &impl Database,
    key: &CursorKey,
    scan: u64,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<String>, Error> {
    let sql = if after.is_some() { VANISHED_AFTER } else { VANISHED };
    let after = after.unwrap_or_default();
    let params = vec![(&key.0).into(), Param::count(scan), after.into(), Param::count(limit)];
    rows(db, sql, params, |row| row.text()).await
}
