//! A fingerprint of the stored content.

use sha2::{Digest, Sha256};

use crate::journal::Error;
use crate::journal::database::{Database, Param};
use crate::journal::row::{Cell, Row, Unreadable};

/// Rows per query.
const PAGE: i64 = 1000;

/// The hashed content, in order. Large tables are paged and give the key before the first page. A run's work is
/// represented by its numbers of entries and leases, a poller's by its cursor.
const PARTS: &[(&str, Option<Param>)] = &[
    ("SELECT count(*), max(seq) FROM events", None),
    ("SELECT id FROM events ORDER BY seq DESC LIMIT 1", None),
    ("SELECT count(*), max(received) FROM receipts", None),
    (
        "SELECT seq, id, state, entries, epoch, due, finished, error, version FROM runs
         WHERE seq > $1 ORDER BY seq LIMIT $2",
        Some(Param::Integer(0)),
    ),
    ("SELECT key, cursor FROM cursors ORDER BY seq", None),
    ("SELECT name, version FROM recipes ORDER BY name, version", None),
    ("SELECT name, from_record, to_record, base, revision FROM links ORDER BY name, from_record", None),
    ("SELECT count(*), max(id) FROM acts", None),
    ("SELECT key, value FROM state WHERE key > $1 ORDER BY key LIMIT $2", Some(Param::Text(String::new()))),
];

/// The fingerprint. `db` is a snapshot.
pub(in crate::journal) async fn compute(db: &impl Database) -> Result<String, Error> {
    let mut hash = Sha256::new();
    for (sql, first) in PARTS {
        let mut after = first.clone();
        loop {
            let params = after.take().map_or(vec![], |after| vec![after, PAGE.into()]);
            let paged = !params.is_empty();
            let rows = db.query(sql, params).await?;
            let more = paged && rows.len() as i64 == PAGE;
            for row in rows {
                after = add(&mut hash, row)
                    .map_err(|unreadable| unreadable.into_error(db.name()))?
                    .filter(|_| more);
            }
            if !more {
                break;
            }
        }
        hash.update(b"/");
    }
    Ok(hex::encode(&hash.finalize()[..16]))
}

/// Hashes a row and returns its first column, the key.
fn add(hash: &mut Sha256, mut row: Row) -> Result<Option<Param>, Unreadable> {
    let mut key = None;
    while let Ok(cell) = row.cell() {
        let param = match cell {
            Cell::Null => {
                hash.update(b"-");
                Param::Null
            }
            Cell::Integer(number) => {
                hash.update(number.to_le_bytes());
                Param::Integer(number)
            }
            Cell::Text(text) => {
                hash.update(text.len().to_le_bytes());
                hash.update(&text);
                Param::Json(text)
            }
            other => return Err(Unreadable(format!("{other:?} has no place in a fingerprint"))),
        };
        key = key.or(Some(param));
    }
    Ok(key)
}
