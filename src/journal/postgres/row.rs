//! Rows of the tables, read; and texts as PostgreSQL takes them.

use std::borrow::Cow;

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::event::{DedupKey, Event, EventId};
use crate::journal::RunRow;
use crate::journal::encoding::{self, time};
use crate::journal::format::{read_entry, write_entry};
use crate::run::{Run, RunId, RunState, StampedEntry};

use super::failure::Failure;

/// Stands for itself or for NUL in a kept text. Unicode gives it no meaning.
const MARK: char = '\u{FDD0}';

/// A text as it is kept: PostgreSQL takes no NUL, which may come in somebody's ids and names. JSON texts
/// have none.
pub(super) fn escape_nul(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', MARK]) {
        return Cow::Borrowed(text);
    }
    let mut escape_nul = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            '\0' => escape_nul.extend([MARK, '0']),
            MARK => escape_nul.extend([MARK, '1']),
            letter => escape_nul.push(letter),
        }
    }
    Cow::Owned(escape_nul)
}

/// The same of one that may be missing.
pub(super) fn escape_nul_some(text: Option<&str>) -> Option<Cow<'_, str>> {
    text.map(escape_nul)
}

/// A kept text as it was.
pub(super) fn unescape_nul(text: String) -> String {
    if !text.contains(MARK) {
        return text;
    }
    text.replace(&format!("{MARK}0"), "\0").replace(&format!("{MARK}1"), &MARK.to_string())
}

/// Reads the columns of a row one after the other.
pub(super) struct Columns<'a> {
    row: &'a Row,
    next: usize,
}

impl<'a> Columns<'a> {
    /// From the first on.
    pub(super) fn of(row: &'a Row) -> Self {
        Self { row, next: 0 }
    }

    /// The next value, as it is.
    pub(super) fn value<T: FromSql<'a>>(&mut self) -> Result<T, Failure> {
        self.next += 1;
        Ok(self.row.try_get(self.next - 1)?)
    }

    /// The next text.
    pub(super) fn text(&mut self) -> Result<String, Failure> {
        Ok(unescape_nul(self.value()?))
    }

    /// The next text, which may be missing.
    pub(super) fn text_or_none(&mut self) -> Result<Option<String>, Failure> {
        Ok(self.value::<Option<String>>()?.map(unescape_nul))
    }

    /// The next state.
    pub(super) fn state(&mut self) -> Result<RunState, Failure> {
        encoding::state(self.value::<i32>()?.into()).map_err(Failure::Unreadable)
    }
}

/// A state's number.
pub(super) fn code(state: RunState) -> i32 {
    i32::try_from(encoding::code(state)).unwrap_or_default()
}

/// Columns of [`run_row`], in order.
pub(super) const RUN_ROW: &str = "id, recipe, state, record, created, finished, error, entries";

/// A run for a list.
pub(super) fn run_row(columns: &mut Columns<'_>) -> Result<RunRow, Failure> {
    Ok(RunRow {
        id: RunId(columns.text()?),
        recipe: columns.text()?,
        state: columns.state()?,
        record: columns.text_or_none()?,
        created: time(columns.value()?),
        finished: columns.value::<Option<i64>>()?.map(time),
        error: columns.text_or_none()?,
        entries: usize::try_from(columns.value::<i32>()?).unwrap_or(0),
    })
}

/// Columns of [`run`], in order.
pub(super) const RUN: &str = "id, recipe, version, accounts, lane, created";

/// A run, but for its event.
pub(super) fn run(columns: &mut Columns<'_>) -> Result<Run, Failure> {
    Ok(Run {
        id: RunId(columns.text()?),
        event: EventId(String::new()),
        recipe: columns.text()?,
        version: columns.text_or_none()?,
        accounts: serde_json::from_str(columns.value()?)?,
        lane: columns.text()?,
        created: time(columns.value()?),
    })
}

/// Columns of [`event`], in order.
pub(super) const EVENT: &str = "id, source, kind, connection, record, dedup, received, payload";

/// An event.
pub(super) fn event(columns: &mut Columns<'_>) -> Result<Event, Failure> {
    let id = columns.value::<Option<String>>()?;
    Ok(Event {
        id: EventId(unescape_nul(
            id.ok_or_else(|| Failure::Unreadable("the event of a run is gone".to_owned()))?,
        )),
        source: serde_json::from_str(columns.value()?)?,
        kind: columns.text()?,
        connection: columns.text_or_none()?,
        record: columns.text_or_none()?,
        dedup: DedupKey(columns.text()?),
        received: time(columns.value()?),
        payload: serde_json::from_str(columns.value()?)?,
    })
}

/// A run's history, as an array of texts.
pub(super) fn entries(columns: &mut Columns<'_>) -> Result<Vec<StampedEntry>, Failure> {
    let texts: Vec<&str> = columns.value()?;
    Ok(texts.into_iter().map(read_entry).collect::<Result<_, _>>()?)
}

/// The texts of entries.
pub(super) fn texts(entries: &[StampedEntry]) -> Result<Vec<String>, Failure> {
    Ok(entries.iter().map(write_entry).collect::<Result<_, _>>()?)
}

/// `names` as columns of the table with the short name `table`.
pub(super) fn of_table(table: &str, names: &str) -> String {
    names.split(", ").map(|name| format!("{table}.{name}")).collect::<Vec<_>>().join(", ")
}

/// A number as the database takes it; what is too large counts as the largest.
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
