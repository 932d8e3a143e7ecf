//! A way to ask any store the same: statements that each of them understands, values for them, and the few words
//! in which the stores differ.

use std::future::Future;

use super::Error;
use super::row::{Row, Unreadable};

/// A value of a statement.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Param {
    Null,
    Integer(i64),
    /// It may hold anything.
    Text(String),
    /// It is JSON, which never holds NUL.
    Json(String),
    Bytes(Vec<u8>),
}

impl Param {
    /// A number of things; what is too large counts as the largest.
    pub(super) fn count(count: impl TryInto<i64>) -> Self {
        Param::Integer(count.try_into().unwrap_or(i64::MAX))
    }
}

impl From<i64> for Param {
    fn from(number: i64) -> Self {
        Param::Integer(number)
    }
}

impl From<bool> for Param {
    fn from(flag: bool) -> Self {
        Param::Integer(flag.into())
    }
}

impl From<&str> for Param {
    fn from(text: &str) -> Self {
        Param::Text(text.to_owned())
    }
}

impl From<&String> for Param {
    fn from(text: &String) -> Self {
        Param::Text(text.clone())
    }
}

impl From<String> for Param {
    fn from(text: String) -> Self {
        Param::Text(text)
    }
}

impl From<Vec<u8>> for Param {
    fn from(bytes: Vec<u8>) -> Self {
        Param::Bytes(bytes)
    }
}

impl<T: Into<Param>> From<Option<T>> for Param {
    fn from(value: Option<T>) -> Self {
        value.map_or(Param::Null, Into::into)
    }
}

/// What takes statements: a store, a moment of one, or a transaction.
pub(super) trait Database {
    /// The kind of store.
    type Dialect: Dialect;

    /// What messages call the store.
    fn name(&self) -> &str;

    /// What `sql` finds. The first value stands for `$1`.
    fn query(&self, sql: &str, params: Vec<Param>) -> impl Future<Output = Result<Vec<Row>, Error>> + Send;

    /// Does `sql`, which writes and may be done twice; the rows are those of its RETURNING.
    fn execute(&self, sql: &str, params: Vec<Param>) -> impl Future<Output = Result<Vec<Row>, Error>> + Send;
}

/// Where the kinds of stores differ in how they say the same.
pub(super) trait Dialect {
    /// What the kind is called.
    const KIND: &'static str;
    /// The history of a run `r`, in order.
    const ENTRIES: &'static str;
    /// What a run `r` wrote, in order, as a JSON array of arrays.
    const WRITES: &'static str;
    /// Saves a link of a name (`$1`) from a record (`$2`) to another (`$3`), in the place of any that shares its
    /// name and an end.
    const SAVE_LINK: &'static str;
    /// How many bytes the store takes up.
    const BYTES: &'static str;
    /// The columns of a table `entries`, from a number of a run's on.
    const ENTRY_COLUMNS: &'static str;

    /// The values of those columns, but for the text, for the entry at `place` of the run with the number `seq`.
    fn entry_key(seq: i64, place: i64) -> Vec<Param>;

    /// The stored counters: rows of a state's name, or `events`, and a count.
    fn counters() -> String;

    /// Whether a run of the table `runs` has a text in it: `plain` and `json` are patterns for LIKE.
    fn contains(plain: &str, json: &str) -> String;

    /// The newest runs of those that meet any of `conditions`, which exclude each other and each read a range of
    /// `index` in order: the ranges are merged, nothing is sorted.
    fn newest_runs(index: &str, conditions: &[String], limit: &str) -> String;
}

/// What `decode` makes of the rows that `sql` finds.
pub(super) async fn rows<D: Database, T>(
    db: &D,
    sql: &str,
    params: Vec<Param>,
    decode: impl Fn(&mut Row) -> Result<T, Unreadable>,
) -> Result<Vec<T>, Error> {
    let rows = db.query(sql, params).await?;
    let decoded: Result<Vec<T>, Unreadable> = rows.into_iter().map(|mut row| decode(&mut row)).collect();
    decoded.map_err(|unreadable| unreadable.of(db.name()))
}

/// The same of the first row, if there is one.
pub(super) async fn row<D: Database, T>(
    db: &D,
    sql: &str,
    params: Vec<Param>,
    decode: impl Fn(&mut Row) -> Result<T, Unreadable>,
) -> Result<Option<T>, Error> {
    Ok(rows(db, sql, params, decode).await?.into_iter().next())
}
