//! A short text by which what is stored can be known again, and any change of it seen.

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use sha2::{Digest, Sha256};

use super::failure::Failure;

/// What goes into it. What a run did shows in the number of its entries and of its leases, what a
/// poller did in its cursor.
const PARTS: &[&str] = &[
    "SELECT count(*), max(seq) FROM events",
    "SELECT id FROM events ORDER BY seq DESC LIMIT 1",
    "SELECT count(*), max(received) FROM receipts",
    "SELECT seq, id, state, entries, epoch, due, finished, error, version FROM runs ORDER BY seq",
    "SELECT key, cursor FROM cursors ORDER BY seq",
    "SELECT name, version FROM recipes ORDER BY name, version",
    "SELECT name, from_record, to_record FROM links ORDER BY name, from_record",
    "SELECT key, value FROM state ORDER BY key",
];

/// The fingerprint. A reader sees all of one moment.
pub(super) fn of(conn: &Connection) -> Result<String, Failure> {
    let mut hash = Sha256::new();
    for part in PARTS {
        let mut read = conn.prepare(part)?;
        let columns = read.column_count();
        let mut rows = read.query([])?;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                add(&mut hash, row.get_ref(column)?);
            }
        }
        hash.update(b"/");
    }
    Ok(hex::encode(&hash.finalize()[..16]))
}

fn add(hash: &mut Sha256, value: ValueRef<'_>) {
    match value {
        ValueRef::Null => hash.update(b"-"),
        ValueRef::Integer(number) => hash.update(number.to_le_bytes()),
        ValueRef::Real(number) => hash.update(number.to_le_bytes()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            hash.update(bytes.len().to_le_bytes());
            hash.update(bytes);
        }
    }
}
