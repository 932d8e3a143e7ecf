//! Failures of SQLite, explained with a remedy.

use std::time::Duration;

use rusqlite::ErrorCode;

use crate::journal::Error;
use crate::journal::format::EntryError;
use crate::journal::row::Unreadable;
use crate::run::RunId;

/// How long to wait for the write lock.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a read or write failed, without the store's name.
#[derive(Debug)]
pub(super) enum Failure {
    Sql(rusqlite::Error),
    Fenced(RunId),
    Overtaken(String),
    Unreadable(String),
    /// A finished error.
    Reported(Error),
}

impl Failure {
    /// The error for callers.
    pub(super) fn into_error(self, store: &str) -> Error {
        let store = store.to_owned();
        match self {
            Failure::Fenced(run) => Error::Fenced { run },
            Failure::Overtaken(claim) => Error::Overtaken { claim },
            Failure::Unreadable(reason) => Error::Corrupt { store, reason },
            Failure::Reported(error) => error,
            Failure::Sql(error) => sql_error(store, &error),
        }
    }
}

fn sql_error(store: String, error: &rusqlite::Error) -> Error {
    let reason = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => {
            let reason = "it is not an SQLite database; name another file".to_owned();
            return Error::Corrupt { store, reason };
        }
        Some(ErrorCode::DatabaseCorrupt) => {
            let reason =
                format!("the file is damaged ({error}); restore a backup, or move it away to start over");
            return Error::Corrupt { store, reason };
        }
        Some(ErrorCode::DiskFull) => {
            "cannot be written: the disk is full; free some space, and hob continues by itself".to_owned()
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => READ_ONLY.to_owned(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => format!(
            "has been locked by another program for over {} s; close whatever has the file open, such as a \
             database browser",
            BUSY_TIMEOUT.as_secs()
        ),
        Some(ErrorCode::CannotOpen) => {
            format!(
                "cannot be opened ({error}); check that it is a file and that hob may write to its folder"
            )
        }
        Some(ErrorCode::SystemIoFailure) => {
            format!("cannot be read or written ({error}); check that the disk is connected and healthy")
        }
        Some(_) => format!("cannot do that: {error}; this is a bug in hob, please report it"),
        None => return Error::Corrupt { store, reason: error.to_string() },
    };
    Error::Unavailable { store, reason }
}

/// The remedy for a read-only file.
pub(super) const READ_ONLY: &str = "cannot be written: it is read-only; give the user that runs hob write permission on the file and its \
     folder";

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Failure::Sql(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Reported(error)
    }
}

impl From<Unreadable> for Failure {
    fn from(error: Unreadable) -> Self {
        Failure::Unreadable(error.0)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Failure::Unreadable(error.to_string())
    }
}

impl From<EntryError> for Failure {
    fn from(error: EntryError) -> Self {
        Failure::Unreadable(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    fn message(code: i32) -> String {
        let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some("detail".to_owned()));
        Failure::from(error).into_error("hob.db").to_string()
    }

    #[test]
    fn each_failure_names_its_remedy() {
        let lines = [
            ffi::SQLITE_FULL,
            ffi::SQLITE_READONLY,
            ffi::SQLITE_BUSY,
            ffi::SQLITE_CANTOPEN,
            ffi::SQLITE_IOERR,
            ffi::SQLITE_CORRUPT,
            ffi::SQLITE_NOTADB,
        ]
        .map(message);
        let remedies = [
            "free some space",
            "give the user that runs hob write permission",
            "close whatever has the file open",
            "check that it is a file",
            "check that the disk is connected",
            "restore a backup",
            "name another file",
        ];
        for (line, remedy) in lines.iter().zip(remedies) {
            assert!(line.starts_with("the store hob.db ") && line.contains(remedy), "{line}");
        }
    }
}
