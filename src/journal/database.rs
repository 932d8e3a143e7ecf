//! A small query interface over both stores: SQL that both accept, its parameters, and the parts of the SQL that
//! differ.

use std::future::Future;

use super::Error;
use super::row::{Row, Unreadable};

/// A parameter of a statement.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Param {
    Null,
    Integer(i64),
    /// Any text.
    Text(String),
    /// JSON text, which never contains NUL.
    Json(String),
    Bytes(Vec<u8>),
}

impl Param {
    /// A count, saturated at `i64::MAX`.
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

/// Something that executes statements: a store, a snapshot or a transaction.
pub(super) trait Database {
    /// The kind of store.
    type Dialect: Dialect;

    /// The store's name in messages.
    fn name(&self) -> &str;

    /// The rows of `sql`, which only reads. `params[0]` is `$1`.
    fn query(&self, sql: &str, params: Vec<Param>) -> impl Future<Output = Result<Vec<Row>, Error>> + Send;

    /// Executes `sql`, which writes and must be idempotent; returns the rows of its RETURNING clause.
    fn execute(&self, sql: &str, params: Vec<Param>) -> impl Future<Output = Result<Vec<Row>, Error>> + Send;
}

/// The order of runs by their creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    OldestFirst,
    NewestFirst,
}

impl Order {
    /// The word for it.
    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::OldestFirst => "ASC",
            Self::NewestFirst => "DESC",
        }
    }
}

/// The SQL that differs between the stores.
pub(super) trait Dialect {
    /// The name of the kind of store.
    const KIND: &'static str;
    /// An expression for the entries of the run `r`, in order.
    const ENTRIES: &'static str;
    /// An expression for the writes of the run `r`, in order, as a JSON array of arrays.
    const WRITES: &'static str;
    /// Saves a link named `$1` from `$2` to `$3`, and replaces those with the same name and either end.
    const REPLACE_LINK: &'static str;
    /// The size of the store in bytes.
    const BYTES: &'static str;
    /// How many numbers of events and writes before a stored one may be stored only later: transactions at the same time end in
    /// any order.
    const LATE_NUMBERS: i64;
    /// The columns of the table `entries`, starting with the run's number.
    const ENTRY_COLUMNS: &'static str;

    /// The values of those columns except the text, for the entry at `place` of run `seq`.
    fn entry_key(seq: i64, place: i64) -> Vec<Param>;

    /// A query for the stored counters: rows of a state's name (or `events`) and a count.
    fn counters() -> String;

    /// A condition on the table `runs`: the run contains a text. `plain` and `json` are patterns for LIKE.
    fn contains(plain: &str, json: &str) -> String;

    /// The first runs in this order that meet any of `conditions`, each with its number. The conditions exclude each
    /// other and each reads a range of `index` in order, so the ranges are merged without sorting.
    fn runs_in_order(index: &str, conditions: &[String], order: Order, limit: &str) -> String;
}

/// The rows of `sql`, decoded.
pub(super) async fn rows<D: Database, T>(
    db: &D,
    sql: &str,
    params: Vec<Param>,
    decode: impl Fn(&mut Row) -> Result<T, Unreadable>,
) -> Result<Vec<T>, Error> {
    let rows = db.query(sql, params).await?;
    let decoded: Result<Vec<T>, Unreadable> = rows.into_iter().map(|mut row| decode(&mut row)).collect();
    decoded.map_err(|unreadable| unreadable.into_error(db.name()))
}

/// The first row of `sql`, decoded.
pub(super) async fn row<D: Database, T>(
    db: &D,
    sql: &str,
    params: Vec<Param>,
    decode: impl Fn(&mut Row) -> Result<T, Unreadable>,
) -> Result<Option<T>, Error> {
    Ok(rows(db, sql, params, decode).await?.into_iter().next())
}
