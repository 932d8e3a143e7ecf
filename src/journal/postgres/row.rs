//! Conversion of parameters, texts and rows to and from PostgreSQL.

use std::borrow::Cow;
use std::error::Error;

use bytes::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::journal::database::Param;
use crate::journal::encoding;
use crate::journal::format::write_entry;
use crate::journal::row::{Cell, Row};
use crate::run::{RunState, StampedEntry};

use super::failure::Failure;

/// Escapes itself and NUL in stored texts. A Unicode noncharacter.
const MARK: char = '\u{FDD0}';

/// Escapes NUL, which PostgreSQL does not store and foreign ids and names may contain. JSON texts have none.
pub(super) fn escape_nul(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', MARK]) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            '\0' => escaped.extend([MARK, '0']),
            MARK => escaped.extend([MARK, '1']),
            letter => escaped.push(letter),
        }
    }
    Cow::Owned(escaped)
}

/// The same for an optional text.
pub(super) fn escape_nul_some(text: Option<&str>) -> Option<Cow<'_, str>> {
    text.map(escape_nul)
}

/// Restores a text escaped by [`escape_nul`].
pub(super) fn unescape_nul(text: String) -> String {
    if !text.contains(MARK) {
        return text;
    }
    text.replace(&format!("{MARK}0"), "\0").replace(&format!("{MARK}1"), &MARK.to_string())
}

impl ToSql for Param {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Param::Null => Ok(IsNull::Yes),
            Param::Integer(number) if *kind == Type::BOOL => (*number != 0).to_sql(kind, out),
            Param::Integer(number) if *kind == Type::INT4 => i32::try_from(*number)?.to_sql(kind, out),
            Param::Integer(number) => number.to_sql(kind, out),
            Param::Text(text) => escape_nul(text).to_sql(kind, out),
            Param::Json(text) => text.to_sql(kind, out),
            Param::Bytes(bytes) => bytes.to_sql(kind, out),
        }
    }

    fn accepts(_kind: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// Parameters for a statement.
pub(super) fn values(params: &[Param]) -> Vec<&(dyn ToSql + Sync)> {
    params.iter().map(|param| param as _).collect()
}

/// Rows in the form that both stores share.
pub(super) fn read_all(rows: &[tokio_postgres::Row]) -> Result<Vec<Row>, Failure> {
    rows.iter().map(read).collect()
}

/// A row in the form that both stores share.
pub(super) fn read(row: &tokio_postgres::Row) -> Result<Row, Failure> {
    let cells = (0..row.len()).map(|place| cell(row, place));
    Ok(Row::new(cells.collect::<Result<_, _>>()?, unescape_nul))
}

fn cell(row: &tokio_postgres::Row, place: usize) -> Result<Cell, Failure> {
    fn value<'a, T: FromSql<'a>>(row: &'a tokio_postgres::Row, place: usize) -> Result<Option<T>, Failure> {
        Ok(row.try_get(place)?)
    }
    let cell = match *row.columns()[place].type_() {
        Type::INT4 => value::<i32>(row, place)?.map(|number| Cell::Integer(number.into())),
        Type::INT8 => value(row, place)?.map(Cell::Integer),
        // The result of a function that returns nothing.
        Type::VOID => None,
        Type::BYTEA => value(row, place)?.map(Cell::Bytes),
        Type::TEXT_ARRAY => value(row, place)?.map(Cell::Texts),
        _ => value(row, place)?.map(Cell::Text),
    };
    Ok(cell.unwrap_or(Cell::Null))
}

/// A state's number.
pub(super) fn code(state: RunState) -> i32 {
    i32::try_from(encoding::code(state)).unwrap_or_default()
}

/// The texts of entries.
pub(super) fn texts(entries: &[StampedEntry]) -> Result<Vec<String>, Failure> {
    Ok(entries.iter().map(write_entry).collect::<Result<_, _>>()?)
}

/// An SQL bigint, saturated.
pub(super) fn number<T: TryInto<i64>>(count: T) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_with_nul_come_back() {
        for text in ["", "plain ü", "a\0b", "\0", "\u{FDD0}0", "\u{FDD0}\0\u{FDD0}1", "\u{FDD0}"] {
            assert!(!escape_nul(text).contains('\0'));
            assert_eq!(unescape_nul(escape_nul(text).into_owned()), text);
        }
    }
}
