//! Pollers' progress and the records they have seen.

use std::collections::HashMap;

use crate::event::{Cursor, CursorKey};
use crate::journal::{Claim, Progress};

use super::failure::Failure;
use super::pool::Pool;
use super::row::{escape_nul, number, unescape_nul};

/// Progress in the form of rows.
pub(super) struct Step {
    pub(super) key: String,
    pub(super) cursor: String,
    pub(super) scan: i64,
    pub(super) reset: bool,
    pub(super) forgotten: Vec<String>,
    /// The right to this.
    pub(super) claim: Option<Claim>,
    /// Records and fingerprints, each record once.
    seen: Vec<(String, String)>,
}

impl Step {
    /// The rows of `progress`.
    pub(super) fn new(progress: Progress) -> Result<Self, Failure> {
        let mut last = HashMap::new();
        let mut seen: Vec<(String, String)> = Vec::with_capacity(progress.seen.len());
        for one in progress.seen {
            let row = (escape_nul(&one.record).into_owned(), escape_nul(&one.fingerprint).into_owned());
            let place = *last.entry(one.record).or_insert(seen.len());
            if place == seen.len() { seen.push(row) } else { seen[place] = row }
        }
        Ok(Self {
            cursor: serde_json::to_string(&progress.cursor)?,
            scan: number(progress.cursor.scan),
            key: escape_nul(&progress.cursor.key.0).into_owned(),
            reset: progress.reset,
            forgotten: progress.forgotten.iter().map(|record| escape_nul(record).into_owned()).collect(),
            claim: progress.claim,
            seen,
        })
    }

    /// Records and fingerprints.
    pub(super) fn seen(&self) -> (Vec<&str>, Vec<&str>) {
        self.seen.iter().map(|(record, print)| (&**record, &**print)).unzip()
    }
}

/// One poller's progress.
pub(super) async fn cursor(pool: &Pool, key: &CursorKey) -> Result<Option<Cursor>, Failure> {
    let rows = pool.query("SELECT cursor FROM cursors WHERE key = $1", &[&escape_nul(&key.0)]).await?;
    let cursor = |row: &tokio_postgres::Row| Ok(serde_json::from_str(row.try_get(0)?)?);
    rows.first().map(cursor).transpose()
}

/// All pollers' progress, by key.
pub(super) async fn cursors(pool: &Pool) -> Result<Vec<Cursor>, Failure> {
    let rows = pool.query("SELECT cursor FROM cursors ORDER BY key", &[]).await?;
    rows.iter().map(|row| Ok(serde_json::from_str(row.try_get(0)?)?)).collect()
}

/// Fingerprints of those of `records` that were seen.
pub(super) async fn seen(
    pool: &Pool,
    key: &CursorKey,
    records: &[String],
) -> Result<HashMap<String, String>, Failure> {
    let records: Vec<_> = records.iter().map(|record| escape_nul(record)).collect();
    let sql = "SELECT s.record, s.fingerprint FROM seen s
               WHERE s.cursor = (SELECT c.seq FROM cursors c WHERE c.key = $1) AND s.record = ANY ($2)";
    let rows = pool.query(sql, &[&escape_nul(&key.0), &records]).await?;
    rows.iter().map(|row| Ok((unescape_nul(row.try_get(0)?), unescape_nul(row.try_get(1)?)))).collect()
}

/// Records last seen before `scan`, by id.
pub(super) async fn vanished(
    pool: &Pool,
    key: &CursorKey,
    scan: u64,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<String>, Failure> {
    // Each page goes on where the last one ended, so that all pages together read the table once. Every
    // text comes after the empty one, and the empty one comes first.
    let sql = match after {
        Some(_) => {
            "SELECT s.record FROM seen s WHERE s.cursor = (SELECT c.seq FROM cursors c WHERE c.key = $1)
             AND s.scan < $2 AND s.record > $4 ORDER BY s.record LIMIT $3"
        }
        None => {
            "SELECT s.record FROM seen s WHERE s.cursor = (SELECT c.seq FROM cursors c WHERE c.key = $1)
             AND s.scan < $2 AND s.record >= $4 ORDER BY s.record LIMIT $3"
        }
    };
    let after = escape_nul(after.unwrap_or_default());
    let rows = pool.query(sql, &[&escape_nul(&key.0), &number(scan), &number(limit), &after]).await?;
    rows.iter().map(|row| Ok(unescape_nul(row.try_get(0)?))).collect()
}
