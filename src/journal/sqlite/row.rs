//! Conversion of statements and rows to and from SQLite.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params_from_iter};

use crate::journal::database::Param;
use crate::journal::row::{Cell, Row};

use super::failure::Failure;

impl ToSql for Param {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Param::Null => ValueRef::Null,
            Param::Integer(number) => ValueRef::Integer(*number),
            Param::Text(text) | Param::Json(text) => ValueRef::Text(text.as_bytes()),
            Param::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// Executes a shared statement and collects its rows.
pub(super) fn perform(conn: &Connection, sql: &str, params: Vec<Param>) -> Result<Vec<Row>, Failure> {
    let mut statement = conn.prepare_cached(&sql.replace('$', "?"))?;
    let mut rows = statement.query(params_from_iter(params))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// A row in the form that both stores share.
pub(super) fn read(row: &rusqlite::Row<'_>) -> Result<Row, Failure> {
    let cells = (0..row.as_ref().column_count()).map(|column| cell(row.get_ref(column)?));
    Ok(Row::new(cells.collect::<Result<_, _>>()?, |text| text))
}

fn cell(value: ValueRef<'_>) -> Result<Cell, Failure> {
    Ok(match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Integer(number),
        ValueRef::Text(_) => Cell::Text(value.as_str().map_err(rusqlite::Error::from)?.to_owned()),
        ValueRef::Blob(bytes) => Cell::Bytes(bytes.to_vec()),
        ValueRef::Real(number) => {
            return Err(Failure::Unreadable(format!("{number} is in no column of ours")));
        }
    })
}
