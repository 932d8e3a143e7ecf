//! Links between records, remembered values, and markers.

use rusqlite::{Connection, OptionalExtension, Row};
use serde_json::Value;

use crate::journal::Link;

use super::failure::Failure;
use super::writer::Tx;

/// Links with a record at either end.
pub(super) const OF_RECORD: &str = "SELECT name, from_record, to_record FROM links WHERE from_record = ?1
     UNION SELECT name, from_record, to_record FROM links WHERE to_record = ?1
     ORDER BY name, from_record";

/// Saves a link, in the place of any that shares its name and an end.
pub(super) fn save(tx: &Tx<'_>, link: &Link) -> Result<(), Failure> {
    tx.conn
        .prepare_cached("INSERT OR REPLACE INTO links (name, from_record, to_record) VALUES (?1, ?2, ?3)")?
        .execute((&link.name, &link.from, &link.to))?;
    Ok(())
}

/// The link of that name with the given ends; none without any end.
pub(super) fn find(
    conn: &Connection,
    name: &str,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<Option<Link>, Failure> {
    let (sql, end) = match (from, to) {
        (Some(from), _) => ("from_record = ?2", from),
        (None, Some(to)) => ("to_record = ?2", to),
        (None, None) => return Ok(None),
    };
    let found = conn
        .prepare_cached(&format!("SELECT name, from_record, to_record FROM links WHERE name = ?1 AND {sql}"))?
        .query_row((name, end), link)
        .optional()?;
    Ok(found.filter(|link| to.is_none_or(|to| link.to == to)))
}

/// Forgets a link; whether there was one.
pub(super) fn delete(tx: &Tx<'_>, name: &str, from: &str) -> Result<bool, Failure> {
    let deleted = tx
        .conn
        .prepare_cached("DELETE FROM links WHERE name = ?1 AND from_record = ?2")?
        .execute((name, from))?;
    Ok(deleted > 0)
}

/// Links with `record` at either end.
pub(super) fn of_record(conn: &Connection, record: &str) -> Result<Vec<Link>, Failure> {
    let mut read = conn.prepare_cached(OF_RECORD)?;
    let links = read.query_map([record], link)?;
    Ok(links.collect::<Result<_, _>>()?)
}

fn link(row: &Row<'_>) -> rusqlite::Result<Link> {
    Ok(Link { name: row.get(0)?, from: row.get(1)?, to: row.get(2)? })
}

/// A remembered value.
pub(super) fn state(conn: &Connection, key: &str) -> Result<Option<Value>, Failure> {
    let text: Option<String> = conn
        .prepare_cached("SELECT value FROM state WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
}

/// Remembered values whose keys begin with `prefix`.
pub(super) fn states(conn: &Connection, prefix: &str) -> Result<Vec<(String, Value)>, Failure> {
    let mut read =
        conn.prepare_cached("SELECT key, value FROM state WHERE key >= ?1 AND key < ?2 ORDER BY key")?;
    let mut rows = read.query((prefix, format!("{prefix}{}", char::MAX)))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((row.get(0)?, serde_json::from_str(&row.get::<_, String>(1)?)?));
    }
    Ok(found)
}

/// Remembers a value.
pub(super) fn put_state(tx: &Tx<'_>, key: &str, value: &str) -> Result<(), Failure> {
    tx.conn
        .prepare_cached(
            "INSERT INTO state (key, value) VALUES (?1, ?2)
             ON CONFLICT DO UPDATE SET value = excluded.value",
        )?
        .execute((key, value))?;
    Ok(())
}

/// What is noted under `name`.
pub(super) fn marker(conn: &Connection, name: &str) -> Result<Option<Value>, Failure> {
    let text: Option<String> = conn
        .prepare_cached("SELECT value FROM markers WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
}

/// Notes `value` under `name`, or nothing.
pub(super) fn set_marker(tx: &Tx<'_>, name: &str, value: Option<&str>) -> Result<(), Failure> {
    match value {
        Some(value) => tx
            .conn
            .prepare_cached(
                "INSERT INTO markers (name, value) VALUES (?1, ?2)
                 ON CONFLICT DO UPDATE SET value = excluded.value",
            )?
            .execute((name, value))?,
        None => tx.conn.prepare_cached("DELETE FROM markers WHERE name = ?1")?.execute([name])?,
    };
    Ok(())
}
