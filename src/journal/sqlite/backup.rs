//! Online backup of the file.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::journal::Error;

use super::failure::Failure;
use super::schema::open_foreign;

/// Copies the store at `path` into the empty file `to`, as of this moment, and checks the integrity of the copy.
pub(super) fn copy(path: &Path, to: &Path, store: &str) -> Result<(), Error> {
    let conn = open_foreign(path, store)?;
    copy_from(&conn, to).map_err(|failure| failure.into_error(store))?;
    verify(to).map_err(|failure| failure.into_error(&to.display().to_string()))
}

fn copy_from(conn: &Connection, to: &Path) -> Result<(), Failure> {
    let name = to.to_str().ok_or_else(|| {
        Failure::Unreadable(format!("{} is no name that SQLite can write to", to.display()))
    })?;
    conn.execute("VACUUM INTO ?1", [name])?;
    Ok(())
}

fn verify(copy: &Path) -> Result<(), Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(copy, flags)?;
    let verdict: String = conn.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    match verdict.as_str() {
        "ok" => Ok(()),
        _ => Err(Failure::Unreadable(format!("the copy is damaged: {verdict}"))),
    }
}
