//! Failures of PostgreSQL, explained with a remedy.

use std::io;

use tokio_postgres::error::{DbError, SqlState};

use crate::diagnostic::with_causes;
use crate::journal::Error;
use crate::journal::format::EntryError;
use crate::journal::row::Unreadable;
use crate::run::RunId;

/// SQLSTATE raised by our function: a claim was taken over by another process.
const OVERTAKEN: &str = "HB001";

/// Why a read or write failed, without the store's name.
#[derive(Debug)]
pub(super) enum Failure {
    /// An error of the server or the connection.
    Sql(tokio_postgres::Error),
    /// Connecting timed out.
    ConnectTimeout,
    /// A reason, as a phrase that follows the store's name, with the remedy.
    Refused(String),
    Fenced(RunId),
    Unreadable(String),
    Closed,
    /// A finished error.
    Reported(Error),
}

impl Failure {
    /// The error for callers.
    pub(super) fn into_error(self, store: &str) -> Error {
        let store = store.to_owned();
        let reason = match self {
            Failure::Reported(error) => return error,
            Failure::Fenced(run) => return Error::Fenced { run },
            Failure::Unreadable(reason) => return Error::Corrupt { store, reason },
            Failure::Refused(reason) => reason,
            Failure::Closed => "has been closed; start hob again".to_owned(),
            Failure::ConnectTimeout => {
                "does not answer; check that the server is running and that no firewall blocks it".to_owned()
            }
            Failure::Sql(error) => match error.as_db_error() {
                Some(answer) => return server_error(store, answer),
                None => match connection_problem(&error) {
                    Some(reason) => reason,
                    None => return Error::Corrupt { store, reason: with_causes(&error) },
                },
            },
        };
        Error::Unavailable { store, reason }
    }

    /// The connection is unusable. The statement may or may not have been executed.
    pub(super) fn ends_connection(&self) -> bool {
        match self {
            Failure::ConnectTimeout => true,
            Failure::Sql(error) => match error.as_db_error() {
                Some(answer) => session_ended(answer),
                None => error.is_closed() || is_of_network(error),
            },
            _ => false,
        }
    }

    /// Whether a retry may succeed.
    pub(super) fn is_transient(&self) -> bool {
        let again = [
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::TOO_MANY_CONNECTIONS,
        ];
        match self {
            Failure::Sql(error) => {
                error.code().is_some_and(|code| again.contains(code)) || self.ends_connection()
            }
            _ => self.ends_connection(),
        }
    }

    /// The server is starting up.
    pub(super) fn is_starting(&self) -> bool {
        matches!(self, Failure::Sql(error) if error.code() == Some(&SqlState::CANNOT_CONNECT_NOW))
    }
}

/// The server ends the session, or the session's prepared statements are stale.
fn session_ended(answer: &DbError) -> bool {
    let code = answer.code();
    let ends = [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        // The server became a standby after a failover.
        SqlState::READ_ONLY_SQL_TRANSACTION,
        // A prepared statement belongs to another connection of the pooler, or to other tables.
        SqlState::INVALID_SQL_STATEMENT_NAME,
    ];
    ends.contains(code)
        || code.code().starts_with("08")
        || code.code() == "57P05"
        || answer.message().starts_with("cached plan must not change")
}

fn is_of_network(error: &tokio_postgres::Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<io::Error>());
    // TLS errors and answers that are not PostgreSQL's are permanent.
    cause.is_some_and(|cause| {
        !matches!(cause.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput)
    })
}

fn server_error(store: String, answer: &DbError) -> Error {
    let (code, message) = (answer.code(), answer.message());
    let reason = match code.code() {
        OVERTAKEN => return Error::Overtaken { claim: message.to_owned() },
        "XX001" | "XX002" => {
            let reason = format!("the database is damaged ({message}); restore a backup");
            return Error::Corrupt { store, reason };
        }
        "28000" if message.contains("pg_hba.conf") => format!(
            "does not let hob in ({message}); check sslmode, user and database in its address, and the server's \
             pg_hba.conf"
        ),
        "28P01" | "28000" => {
            format!("refuses the login ({message}); check the user and the password in its address")
        }
        "3D000" => format!("does not exist ({message}); create it with `createdb`, or name another one"),
        "53300" | "53400" => format!(
            "accepts no more connections ({message}); raise its max_connections, or run fewer programs on it"
        ),
        "53100" => {
            "cannot be written: the disk of its server is full; free some space there, and hob continues \
                    by itself"
                .to_owned()
        }
        "53200" => {
            format!("is out of memory ({message}); give its server more, or raise max_locks_per_transaction")
        }
        "25006" => READ_ONLY.to_owned(),
        "42501" => format!(
            "denies hob a permission ({message}); let its user create a schema: GRANT CREATE ON DATABASE"
        ),
        "55P03" => {
            "has been locked by another program for too long; check its pg_locks for who holds the lock"
                .to_owned()
        }
        "57014" => format!("cancelled a statement ({message}); raise statement_timeout for its user"),
        "57P01" | "57P02" | "57P03" => {
            format!("is stopping or starting ({message}); hob continues once the server is back")
        }
        "3F000" | "42P01" | "42883" => {
            format!(
                "has lost its tables ({message}); restore a backup, or restart hob to begin with an empty history"
            )
        }
        _ if session_ended(answer) => format!("closed the connection ({message}); check its server's log"),
        code => format!("cannot do that: {message} ({code}); this is a bug in hob, please report it"),
    };
    Error::Unavailable { store, reason }
}

/// The remedy for a server that accepts no writes.
const READ_ONLY: &str = "is read-only, like a standby; name the primary, or all hosts of the cluster: \
                         postgres://user@host1,host2/database";

/// What is wrong with the connection; `None` if the error is not about the connection.
fn connection_problem(error: &tokio_postgres::Error) -> Option<String> {
    let (text, causes) = (error.to_string(), with_causes(error));
    // tokio-postgres does not expose the kind of an error except in its text.
    let reason = if causes.contains("does not allow writes") {
        READ_ONLY.to_owned()
    } else if text.starts_with("error connecting") || text.starts_with("timeout") {
        format!(
            "cannot be reached ({causes}); check that its server is running and that its address is right"
        )
    } else if text.starts_with("error performing TLS") {
        format!("cannot be reached over TLS ({causes}); check sslmode and sslrootcert in its address")
    } else if text.starts_with("authentication error") || causes.contains("password missing") {
        format!("refuses the login ({causes}); check the user and the password in its address")
    } else if text.starts_with("error parsing response") || text.starts_with("unexpected message") {
        format!("does not answer like a PostgreSQL server ({causes}); check host and port in its address")
    } else if error.is_closed() || is_of_network(error) {
        format!("closed the connection ({causes}); check that its server is running")
    } else {
        return None;
    };
    Some(reason)
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Failure::Sql(error)
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
