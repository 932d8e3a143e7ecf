//! What is stored, and how much of it.

use rusqlite::Connection;

use crate::journal::StoreInfo;

use super::failure::Failure;
use super::list;
use super::row::time;
use super::schema;

/// What the file called `place` holds.
pub(super) fn info(conn: &Connection, place: String) -> Result<StoreInfo, Failure> {
    let number = |sql: &str| -> Result<u64, Failure> {
        let number: i64 = conn.query_row(sql, [], |row| row.get(0))?;
        Ok(u64::try_from(number).unwrap_or(0))
    };
    let oldest: Option<i64> = conn.query_row("SELECT min(received) FROM events", [], |row| row.get(0))?;
    Ok(StoreInfo {
        kind: "sqlite",
        place,
        format: schema::newest(),
        bytes: number("PRAGMA page_count")? * number("PRAGMA page_size")?,
        totals: list::totals(conn, None)?,
        oldest: oldest.map(time),
        cursors: number("SELECT count(*) FROM cursors")?,
        links: number("SELECT count(*) FROM links")?,
    })
}
