//! The tables, their migrations, and the setup of connections.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::journal::Error;

use super::failure::{BUSY_TIMEOUT, Failure, READ_ONLY};
use super::writer::Tx;

/// The application id of hob's files: "hobj".
const APPLICATION: i64 = 0x686f_626a;

/// Prepared statements cached per connection.
const STATEMENTS: usize = 64;

/// Each migrates from the format equal to its index to the next one. Only append.
const MIGRATIONS: &[&str] = &[
    include_str!("schema-1.sql"),
    include_str!("schema-2.sql"),
    include_str!("schema-3.sql"),
    include_str!("schema-4.sql"),
    include_str!("schema-5.sql"),
    include_str!("schema-6.sql"),
    include_str!("schema-7.sql"),
    include_str!("schema-8.sql"),
    include_str!("schema-9.sql"),
    include_str!("schema-10.sql"),
    include_str!("schema-11.sql"),
    include_str!("schema-12.sql"),
    include_str!("schema-13.sql"),
];

/// What a commit survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// A crash of the machine.
    Full,
    /// A crash of the program only.
    None,
}

/// Opens the writing connection and migrates the tables.
pub(super) fn open_writer(
    path: &Path,
    store: &str,
    upgrade: bool,
    durability: Durability,
) -> Result<Connection, Error> {
    let conn = open(path).map_err(|failure| failure.into_error(store))?;
    if conn.is_readonly("main").map_err(|error| Failure::from(error).into_error(store))? {
        return Err(Error::Unavailable { store: store.to_owned(), reason: READ_ONLY.to_owned() });
    }
    inspect(&conn, store, upgrade)?;
    write_ahead(&conn, durability)
        .and_then(|()| migrate(&conn, MIGRATIONS))
        .map_err(|failure| failure.into_error(store))?;
    Ok(conn)
}

/// Opens a connection to a hob store of any format; changes nothing.
pub(super) fn open_foreign(path: &Path, store: &str) -> Result<Connection, Error> {
    let conn = open(path).map_err(|failure| failure.into_error(store))?;
    inspect(&conn, store, true)?;
    Ok(conn)
}

/// Opens a reading connection.
pub(super) fn open_reader(path: &Path) -> Result<Connection, Failure> {
    let conn = open(path)?;
    conn.pragma_update(None, "query_only", true)?;
    conn.pragma_update(None, "cache_size", -4_000)?;
    Ok(conn)
}

fn open(path: &Path) -> Result<Connection, Failure> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    // Otherwise SQLite may replan a statement for each value of a parameter.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(conn)
}

/// Rejects files that hob must not write to, before anything is written.
fn inspect(conn: &Connection, store: &str, upgrade: bool) -> Result<(), Error> {
    // One transaction for all reads: another process may be creating the tables.
    let snapshot = conn.unchecked_transaction().map_err(|error| Failure::from(error).into_error(store))?;
    let read = |pragma: &str| number(&snapshot, pragma).map_err(|failure| failure.into_error(store));
    let (format, application, pages) = (read("user_version")?, read("application_id")?, read("page_count")?);
    let known = newest();
    let refuse =
        |reason: &str| Err(Error::Unavailable { store: store.to_owned(), reason: reason.to_owned() });
    if pages > 0 && application != APPLICATION {
        // A new file has pages before tables once another process has enabled WAL.
        let tables: i64 = snapshot
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .map_err(|error| Failure::from(error).into_error(store))?;
        if tables > 0 || format != 0 {
            return refuse("belongs to another program; name another file");
        }
    }
    if format > known {
        return Err(Error::Newer { store: store.to_owned(), found: format, known });
    }
    if format > 0 && format < known && !upgrade {
        return refuse("has an older format; start `hob run` once to update it");
    }
    Ok(())
}

/// The format of this version.
pub(super) fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

fn write_ahead(conn: &Connection, durability: Durability) -> Result<(), Failure> {
    conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    if durability == Durability::None {
        conn.pragma_update(None, "synchronous", "OFF")?;
    } else {
        conn.pragma_update(None, "synchronous", "FULL")?;
        // On macOS fsync does not reach the disk.
        conn.pragma_update(None, "fullfsync", true)?;
        conn.pragma_update(None, "checkpoint_fullfsync", true)?;
    }
    conn.query_row("PRAGMA wal_autocheckpoint = 4000", [], |_| Ok(()))?;
    conn.query_row("PRAGMA journal_size_limit = 67108864", [], |_| Ok(()))?;
    conn.pragma_update(None, "cache_size", -16_000)?;
    Ok(())
}

/// Writes something, to check that writes succeed.
pub(super) fn probe(tx: &mut Tx<'_>) -> Result<(), Failure> {
    tx.conn
        .prepare_cached(
            "INSERT INTO probe (id, number) VALUES (1, 1) ON CONFLICT DO UPDATE SET number = number + 1",
        )?
        .execute([])?;
    Ok(())
}

/// Runs the missing migrations in one transaction.
fn migrate(conn: &Connection, migrations: &[&str]) -> Result<(), Failure> {
    if usize::try_from(number(conn, "user_version")?) == Ok(migrations.len()) {
        return Ok(());
    }
    let transaction = rusqlite::Transaction::new_unchecked(conn, rusqlite::TransactionBehavior::Immediate)?;
    // Another process may have migrated meanwhile.
    let done = usize::try_from(number(&transaction, "user_version")?).unwrap_or(0);
    for migration in migrations.iter().skip(done) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", migrations.len().max(done) as i64)?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    Ok(transaction.commit()?)
}

fn number(conn: &Connection, pragma: &str) -> Result<i64, Failure> {
    Ok(conn.pragma_query_value(None, pragma, |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_go_forward_from_wherever_the_store_is() {
        let conn = Connection::open_in_memory().unwrap();
        let (first, second) = ("CREATE TABLE a (x)", "ALTER TABLE a ADD COLUMN y DEFAULT 7");
        migrate(&conn, &[first]).unwrap();
        conn.execute("INSERT INTO a VALUES (1)", []).unwrap();
        migrate(&conn, &[first, second]).unwrap();
        migrate(&conn, &[first, second]).unwrap();
        let row: (i64, i64) =
            conn.query_row("SELECT x, y FROM a", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert_eq!((row, number(&conn, "user_version").unwrap()), ((1, 7), 2));
    }

    #[test]
    fn a_migration_that_fails_leaves_the_format_as_it_was() {
        let conn = Connection::open_in_memory().unwrap();
        assert!(migrate(&conn, &["CREATE TABLE a (x)", "nonsense"]).is_err());
        assert_eq!(number(&conn, "user_version").unwrap(), 0);
        assert!(conn.prepare("SELECT * FROM a").is_err());
    }
}
