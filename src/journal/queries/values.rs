//! Values of `state.put`, and markers.

use serde_json::Value;

use crate::journal::Error;
use crate::journal::database::{Database, Param, row, rows};

/// A value.
pub(in crate::journal) async fn state(db: &impl Database, key: &str) -> Result<Option<Value>, Error> {
    row(db, "SELECT value FROM state WHERE key = $1", vec![key.into()], |row| row.json()).await
}

/// Values whose keys begin with `prefix`, by key.
pub(in crate::journal) async fn states(
    db: &impl Database,
    prefix: &str,
) -> Result<Vec<(String, Value)>, Error> {
    let sql = "SELECT key, value FROM state WHERE key >= $1 AND key < $2 ORDER BY key";
    let end = format!("{prefix}{}", char::MAX);
    rows(db, sql, vec![prefix.into(), end.into()], |row| Ok((row.text()?, row.json()?))).await
}

/// Stores a value.
pub(in crate::journal) async fn put_state(db: &impl Database, key: &str, value: &Value) -> Result<(), Error> {
    let sql = "INSERT INTO state (key, value) VALUES ($1, $2)
               ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    db.execute(sql, vec![key.into(), Param::Json(value.to_string())]).await?;
    Ok(())
}

/// The marker `name`.
pub(in crate::journal) async fn marker(db: &impl Database, name: &str) -> Result<Option<Value>, Error> {
    row(db, "SELECT value FROM markers WHERE name = $1", vec![name.into()], |row| row.json()).await
}

/// Sets the marker `name`; `None` deletes it.
pub(in crate::journal) async fn set_marker(
    db: &impl Database,
    name: &str,
    value: Option<&Value>,
) -> Result<(), Error> {
    match value {
        Some(value) => {
            let sql = "INSERT INTO markers (name, value) VALUES ($1, $2)
                       ON CONFLICT (name) DO UPDATE SET value = excluded.value";
            db.execute(sql, vec![name.into(), Param::Json(value.to_string())]).await?
        }
        None => db.execute("DELETE FROM markers WHERE name = $1", vec![name.into()]).await?,
    };
    Ok(())
}
