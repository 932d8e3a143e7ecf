//! Pollers' cursors and the records they have seen.

use rusqlite::OptionalExtension;

use crate::event::Seen;
use crate::journal::{Claim, Progress};

use super::failure::Failure;
use super::writer::Tx;

/// Records that one statement forgets.
const FORGOTTEN_AT_ONCE: i64 = 5_000;

/// Progress as rows.
pub(super) struct Step {
    key: String,
    cursor: String,
    scan: i64,
    seen: Vec<Seen>,
    forgotten: Vec<String>,
    reset: bool,
    /// The claim on the cursor.
    pub(super) claim: Option<Claim>,
    beside: bool,
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
            beside: progress.beside,
        })
    }

    /// Stores them.
    pub(super) fn save(&self, tx: &Tx<'_>) -> Result<(), Failure> {
        let cursor = if self.beside { self.unmoved(tx)? } else { self.advance(tx)? };
        if self.reset {
            forget_all(tx, cursor)?;
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

/// Forgets all records of a cursor. SQLite gathers the keys of what one statement deletes in memory, which a million of
/// them would fill.
fn forget_all(tx: &Tx<'_>, cursor: i64) -> Result<(), Failure> {
    let mut find = tx
        .conn
        .prepare_cached("SELECT record FROM seen WHERE cursor = ?1 ORDER BY record LIMIT 1 OFFSET ?2")?;
    let mut delete = tx.conn.prepare_cached("DELETE FROM seen WHERE cursor = ?1 AND record <= ?2")?;
    while let Some(last) =
        find.query_row((cursor, FORGOTTEN_AT_ONCE), |row| row.get::<_, String>(0)).optional()?
    {
        delete.execute((cursor, last))?;
    }
    tx.conn.prepare_cached("DELETE FROM seen WHERE cursor = ?1")?.execute([cursor])?;
    Ok(())
}

impl Step {
    /// Saves the cursor; returns its number.
    fn advance(&self, tx: &Tx<'_>) -> Result<i64, Failure> {
        let mut save = tx.conn.prepare_cached(
            "INSERT INTO cursors (key, cursor) VALUES (?1, ?2)
             ON CONFLICT DO UPDATE SET cursor = excluded.cursor RETURNING seq",
        )?;
        Ok(save.query_row((&self.key, &self.cursor), |row| row.get(0))?)
    }

    /// The number of the stored cursor, if its scan and page are the expected ones.
    fn unmoved(&self, tx: &Tx<'_>) -> Result<i64, Failure> {
        let mut find = tx.conn.prepare_cached(
            "SELECT seq FROM cursors WHERE key = ?1
             AND json_extract(cursor, '$.scan') = json_extract(?2, '$.scan')
             AND json_extract(cursor, '$.page') IS json_extract(?2, '$.page')",
        )?;
        let found = find.query_row((&self.key, &self.cursor), |row| row.get(0)).optional()?;
        found.ok_or_else(|| Failure::Overtaken(format!("cursor:{}", self.key)))
    }
}

/// An SQLite integer, saturated.
fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
