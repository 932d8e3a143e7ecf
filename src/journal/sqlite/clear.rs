//! Empties a store, so that tests can use one after another without opening each anew.

use super::failure::Failure;
use super::writer::Tx;

/// Deletes the rows of all tables.
pub(super) fn clear(tx: &mut Tx<'_>) -> Result<(), Failure> {
    let tables = tx
        .conn
        .prepare_cached(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
        )?
        .query_map([], |row| row.get(0))?
        .collect::<Result<Vec<String>, _>>()?;
    for table in tables {
        tx.conn.prepare_cached(&format!("DELETE FROM {table}"))?.execute([])?;
    }
    Ok(())
}
