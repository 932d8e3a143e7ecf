//! Rows of the tables, decoded column by column.

use std::vec::IntoIter;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;

use super::encoding::{self, time};
use super::format::{EntryError, read_entry};
use super::{Error, RunRow};
use crate::event::{DedupKey, Event, EventId};
use crate::run::{Run, RunId, RunState, StampedEntry, Write};

/// Why a row cannot be decoded.
#[derive(Debug)]
pub(super) struct Unreadable(pub(super) String);

impl Unreadable {
    /// The error to hand out.
    pub(super) fn into_error(self, store: &str) -> Error {
        Error::Corrupt { store: store.to_owned(), reason: self.0 }
    }
}

impl From<serde_json::Error> for Unreadable {
    fn from(error: serde_json::Error) -> Self {
        Unreadable(error.to_string())
    }
}

impl From<EntryError> for Unreadable {
    fn from(error: EntryError) -> Self {
        Unreadable(error.to_string())
    }
}

/// A column's value.
#[derive(Debug)]
pub(super) enum Cell {
    Null,
    Integer(i64),
    /// The stored text.
    Text(String),
    Texts(Vec<String>),
    Bytes(Vec<u8>),
}

/// A row whose columns are read in order.
#[derive(Debug)]
pub(super) struct Row {
    cells: IntoIter<Cell>,
    /// Decodes a stored text that is not JSON.
    decode: fn(String) -> String,
}

impl Row {
    /// A row with these columns.
    pub(super) fn new(cells: Vec<Cell>, decode: fn(String) -> String) -> Self {
        Self { cells: cells.into_iter(), decode }
    }

    /// The next column.
    pub(super) fn cell(&mut self) -> Result<Cell, Unreadable> {
        self.cells.next().ok_or_else(|| Unreadable("a row has too few columns".to_owned()))
    }

    /// The next integer.
    pub(super) fn integer(&mut self) -> Result<i64, Unreadable> {
        self.integer_or_none()?.ok_or_else(|| Unreadable("a number is missing".to_owned()))
    }

    /// The next integer or NULL.
    pub(super) fn integer_or_none(&mut self) -> Result<Option<i64>, Unreadable> {
        match self.cell()? {
            Cell::Null => Ok(None),
            Cell::Integer(number) => Ok(Some(number)),
            other => Err(Unreadable(format!("{other:?} is not a number"))),
        }
    }

    /// The next count.
    pub(super) fn count(&mut self) -> Result<u64, Unreadable> {
        Ok(u64::try_from(self.integer()?).unwrap_or(0))
    }

    /// The next time.
    pub(super) fn time(&mut self) -> Result<DateTime<Utc>, Unreadable> {
        Ok(time(self.integer()?))
    }

    /// The next time or NULL.
    pub(super) fn time_or_none(&mut self) -> Result<Option<DateTime<Utc>>, Unreadable> {
        Ok(self.integer_or_none()?.map(time))
    }

    /// The next text.
    pub(super) fn text(&mut self) -> Result<String, Unreadable> {
        self.text_or_none()?.ok_or_else(|| Unreadable("a text is missing".to_owned()))
    }

    /// The next text or NULL.
    pub(super) fn text_or_none(&mut self) -> Result<Option<String>, Unreadable> {
        Ok(self.stored_text()?.map(self.decode))
    }

    fn stored_text(&mut self) -> Result<Option<String>, Unreadable> {
        match self.cell()? {
            Cell::Null => Ok(None),
            Cell::Text(text) => Ok(Some(text)),
            other => Err(Unreadable(format!("{other:?} is not a text"))),
        }
    }

    /// The next JSON text, deserialized.
    pub(super) fn json<T: DeserializeOwned>(&mut self) -> Result<T, Unreadable> {
        let text = self.stored_text()?.ok_or_else(|| Unreadable("a value is missing".to_owned()))?;
        Ok(serde_json::from_str(&text)?)
    }

    /// The next JSON text, deserialized; the default for NULL.
    pub(super) fn json_or_default<T: DeserializeOwned + Default>(&mut self) -> Result<T, Unreadable> {
        let text = self.stored_text()?.filter(|text| !text.is_empty());
        Ok(text.map(|text| serde_json::from_str(&text)).transpose()?.unwrap_or_default())
    }

    /// The next bytes.
    pub(super) fn bytes(&mut self) -> Result<Vec<u8>, Unreadable> {
        match self.cell()? {
            Cell::Bytes(bytes) => Ok(bytes),
            other => Err(Unreadable(format!("{other:?} are no bytes"))),
        }
    }

    /// The next state.
    pub(super) fn state(&mut self) -> Result<RunState, Unreadable> {
        encoding::state(self.integer()?).map_err(Unreadable)
    }

    /// The next history: an array, or its JSON text.
    pub(super) fn entries(&mut self) -> Result<Vec<StampedEntry>, Unreadable> {
        let texts: Vec<String> = match self.cell()? {
            Cell::Texts(texts) => texts,
            Cell::Text(text) => serde_json::from_str(&text)?,
            other => return Err(Unreadable(format!("{other:?} is no history"))),
        };
        Ok(texts.iter().map(|text| read_entry(text)).collect::<Result<_, _>>()?)
    }

    /// The writes of a run: see [`Dialect::WRITES`](super::database::Dialect::WRITES).
    pub(super) fn writes(&mut self) -> Result<Vec<(DateTime<Utc>, Write)>, Unreadable> {
        let rows: Vec<(String, String, String, String, i64)> = self.json_or_default()?;
        let decode = self.decode;
        let writes = rows.into_iter().map(|(record, connection, operation, fields, at)| {
            let (fields, origin) = encoding::parse_write(serde_json::from_str(&fields)?)?;
            let (record, connection) = (decode(record), decode(connection));
            Ok((time(at), Write { record, connection, operation: decode(operation), fields, origin }))
        });
        writes.collect()
    }

    /// A row of a list, from the columns [`RUN_ROW`].
    pub(super) fn run_row(&mut self) -> Result<RunRow, Unreadable> {
        Ok(RunRow {
            id: RunId(self.text()?),
            recipe: self.text()?,
            state: self.state()?,
            record: self.text_or_none()?,
            created: self.time()?,
            finished: self.time_or_none()?,
            error: self.text_or_none()?,
            entries: usize::try_from(self.integer()?).unwrap_or(0),
        })
    }

    /// A run without its event, from the columns [`RUN`].
    pub(super) fn run(&mut self) -> Result<Run, Unreadable> {
        Ok(Run {
            id: RunId(self.text()?),
            event: EventId(String::new()),
            recipe: self.text()?,
            version: self.text_or_none()?,
            accounts: self.json()?,
            lane: self.text()?,
            created: self.time()?,
        })
    }

    /// An event, from the columns [`EVENT`].
    pub(super) fn event(&mut self) -> Result<Event, Unreadable> {
        let id = self.text_or_none()?;
        Ok(Event {
            id: EventId(id.ok_or_else(|| Unreadable("the event of a run is gone".to_owned()))?),
            source: self.json()?,
            kind: self.text()?.into(),
            connection: self.text_or_none()?,
            record: self.text_or_none()?,
            dedup: DedupKey(self.text()?),
            received: self.time()?,
            payload: self.json()?,
        })
    }
}

/// Columns of [`Row::run_row`], in order.
pub(super) const RUN_ROW: &str = "id, recipe, state, record, created, finished, error, entries";

/// Columns of [`Row::run`], in order.
pub(super) const RUN: &str = "id, recipe, version, accounts, lane, created";

/// Columns of [`Row::event`], in order.
pub(super) const EVENT: &str = "id, source, kind, connection, record, dedup, received, payload";

/// The columns `names`, qualified by the table alias `table`.
pub(super) fn qualified(table: &str, names: &str) -> String {
    names.split(", ").map(|name| format!("{table}.{name}")).collect::<Vec<_>>().join(", ")
}
