//! Links between records, remembered values, and markers.

use serde_json::Value;
use tokio_postgres::Row;

use crate::journal::Link;

use super::failure::Failure;
use super::pool::Pool;
use super::row::{Columns, escape_nul, unescape_nul};

/// Saves a link, in the place of any that shares its name and an end.
pub(super) async fn save(pool: &Pool, link: &Link) -> Result<(), Failure> {
    let sql = "SELECT hob_link($1, $2, $3)";
    pool.query(sql, &[&escape_nul(&link.name), &escape_nul(&link.from), &escape_nul(&link.to)]).await?;
    Ok(())
}

/// The link of that name with the given ends; none without any end.
pub(super) async fn find(
    pool: &Pool,
    name: &str,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<Option<Link>, Failure> {
    let (column, end) = match (from, to) {
        (Some(from), _) => ("from_record", from),
        (None, Some(to)) => ("to_record", to),
        (None, None) => return Ok(None),
    };
    let sql = format!("SELECT name, from_record, to_record FROM links WHERE name = $1 AND {column} = $2");
    let rows = pool.query(&sql, &[&escape_nul(name), &escape_nul(end)]).await?;
    let found = rows.first().map(link).transpose()?;
    Ok(found.filter(|link| to.is_none_or(|to| link.to == to)))
}

/// Forgets a link; whether there was one.
pub(super) async fn delete(pool: &Pool, name: &str, from: &str) -> Result<bool, Failure> {
    let sql = "DELETE FROM links WHERE name = $1 AND from_record = $2 RETURNING name";
    Ok(!pool.query(sql, &[&escape_nul(name), &escape_nul(from)]).await?.is_empty())
}

/// Links with `record` at either end.
pub(super) async fn of_record(pool: &Pool, record: &str) -> Result<Vec<Link>, Failure> {
    let sql = "SELECT name, from_record, to_record FROM links WHERE from_record = $1
               UNION SELECT name, from_record, to_record FROM links WHERE to_record = $1
               ORDER BY name, from_record";
    pool.query(sql, &[&escape_nul(record)]).await?.iter().map(link).collect()
}

fn link(row: &Row) -> Result<Link, Failure> {
    let mut columns = Columns::of(row);
    Ok(Link { name: columns.text()?, from: columns.text()?, to: columns.text()? })
}

/// A remembered value.
pub(super) async fn state(pool: &Pool, key: &str) -> Result<Option<Value>, Failure> {
    let rows = pool.query("SELECT value FROM state WHERE key = $1", &[&escape_nul(key)]).await?;
    rows.first().map(|row| Ok(serde_json::from_str(row.try_get(0)?)?)).transpose()
}

/// Remembered values whose keys begin with `prefix`.
pub(super) async fn states(pool: &Pool, prefix: &str) -> Result<Vec<(String, Value)>, Failure> {
    // The keys are in the order of their bytes, and so is every one that begins so.
    let sql = "SELECT key, value FROM state WHERE key >= $1 AND starts_with(key, $1) ORDER BY key";
    let rows = pool.query(sql, &[&escape_nul(prefix)]).await?;
    rows.iter()
        .map(|row| Ok((unescape_nul(row.try_get(0)?), serde_json::from_str(row.try_get(1)?)?)))
        .collect()
}

/// Remembers a value.
pub(super) async fn put_state(pool: &Pool, key: &str, value: &str) -> Result<(), Failure> {
    let sql = "INSERT INTO state (key, value) VALUES ($1, $2)
               ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    pool.query(sql, &[&escape_nul(key), &value]).await?;
    Ok(())
}

/// What is noted under `name`.
pub(super) async fn marker(pool: &Pool, name: &str) -> Result<Option<Value>, Failure> {
    let rows = pool.query("SELECT value FROM markers WHERE name = $1", &[&escape_nul(name)]).await?;
    rows.first().map(|row| Ok(serde_json::from_str(row.try_get(0)?)?)).transpose()
}

/// Notes `value` under `name`, or nothing.
pub(super) async fn set_marker(pool: &Pool, name: &str, value: Option<&str>) -> Result<(), Failure> {
    let name = escape_nul(name);
    match value {
        Some(value) => {
            let sql = "INSERT INTO markers (name, value) VALUES ($1, $2)
                       ON CONFLICT (name) DO UPDATE SET value = excluded.value";
            pool.query(sql, &[&name, &value]).await?
        }
        None => pool.query("DELETE FROM markers WHERE name = $1", &[&name]).await?,
    };
    Ok(())
}
