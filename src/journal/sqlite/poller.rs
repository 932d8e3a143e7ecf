//! Pollers' progress and the records they have seen.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension};

use crate::event::{Cursor, CursorKey, Seen};
use crate::journal::{Claim, Progress};

use super::failure::Failure;
use super::writer::Tx;

/// A first page of the records last seen before some scan.
pub(super) const VANISHED: &str =
    "SELECT record FROM seen WHERE cursor = ?1 AND scan < ?2 AND ?4 IS NULL ORDER BY record LIMIT ?3";
/// Another page. Each goes on where the last one ended, so that all pages together read the table once.
pub(super) const VANISHED_AFTER: &str =
    "SELECT record FROM seen WHERE cursor = ?1 AND scan < ?2 AND record > ?4 ORDER BY record LIMIT ?3";

/// Progress in the form of rows.
pub(super) struct Step {
    key: String,
    cursor: String,
    scan: i64,
    seen: Vec<Seen>,
    forgotten: Vec<String>,
    reset: bool,
    /// The right to this.
    pub(super) claim: Option<Claim>,
}

impl Step {
    /// The rows of `progress`.
    pub(super) fn new(progress: Progress) -> Result<Self, Failure> {
        Ok(Self {
            cursor: serde_json::to_string(&progress.cursor)?,
            scan: number(progress.cursor.scan),
            key: progress.cursor.key.0,
            seen: progress.seen,
            forgotten: progress.forgotten,
            reset: progress.reset,
            claim: progress.claim,
        })
    }

    /// Stores them.
    pub(super) fn save(&self, tx: &Tx<'_>) -> Result<(), Failure> {
        let cursor: i64 = tx
            .conn
            .prepare_cached(
                "INSERT INTO cursors (key, cursor) VALUES (?1, ?2)
                 ON CONFLICT DO UPDATE SET cursor = excluded.cursor RETURNING seq",
            )?
            .query_row((&self.key, &self.cursor), |row| row.get(0))?;
        if self.reset {
            tx.conn.prepare_cached("DELETE FROM seen WHERE cursor = ?1")?.execute([cursor])?;
        }
        for record in &self.forgotten {
            tx.conn
                .prepare_cached("DELETE FROM seen WHERE cursor = ?1 AND record = ?2")?
                .execute((cursor, record))?;
        }
        for seen in &self.seen {
            tx.conn
                .prepare_cached(
                    "INSERT INTO seen (cursor, record, fingerprint, scan) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT DO UPDATE SET fingerprint = excluded.fingerprint, scan = excluded.scan",
                )?
                .execute((cursor, &seen.record, &seen.fingerprint, self.scan))?;
        }
        Ok(())
    }
}

/// One poller's progress.
pub(super) fn cursor(conn: &Connection, key: &CursorKey) -> Result<Option<Cursor>, Failure> {
    let text: Option<String> = conn
        .prepare_cached("SELECT cursor FROM cursors WHERE key = ?1")?
        .query_row([&key.0], |row| row.get(0))
        .optional()?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
}

/// All pollers' progress, by key.
pub(super) fn cursors(conn: &Connection) -> Result<Vec<Cursor>, Failure> {
    let mut read = conn.prepare_cached("SELECT cursor FROM cursors ORDER BY key")?;
    let mut rows = read.query([])?;
    let mut cursors = Vec::new();
    while let Some(row) = rows.next()? {
        cursors.push(serde_json::from_str(&row.get::<_, String>(0)?)?);
    }
    Ok(cursors)
}

/// Fingerprints of those of `records` that were seen.
pub(super) fn seen(
    conn: &Connection,
    key: &CursorKey,
    records: Vec<String>,
) -> Result<HashMap<String, String>, Failure> {
    let Some(cursor) = seq(conn, key)? else { return Ok(HashMap::new()) };
    let mut read = conn.prepare_cached("SELECT fingerprint FROM seen WHERE cursor = ?1 AND record = ?2")?;
    let mut known = HashMap::new();
    for record in records {
        if let Some(fingerprint) = read.query_row((cursor, &record), |row| row.get(0)).optional()? {
            known.insert(record, fingerprint);
        }
    }
    Ok(known)
}

/// Records last seen before `scan`, by id.
pub(super) fn vanished(
    conn: &Connection,
    key: &CursorKey,
    scan: u64,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<String>, Failure> {
    let Some(cursor) = seq(conn, key)? else { return Ok(Vec::new()) };
    let mut read = conn.prepare_cached(if after.is_some() { VANISHED_AFTER } else { VANISHED })?;
    let rows = read.query_map((cursor, number(scan), number(limit as u64), after), |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The number of a cursor.
pub(super) fn seq(conn: &Connection, key: &CursorKey) -> Result<Option<i64>, Failure> {
    Ok(conn
        .prepare_cached("SELECT seq FROM cursors WHERE key = ?1")?
        .query_row([&key.0], |row| row.get(0))
        .optional()?)
}

/// A count as SQLite keeps it.
pub(super) fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
