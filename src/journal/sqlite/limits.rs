//! Limits of accounts.

use rusqlite::{Connection, OptionalExtension};

use crate::clock::Clock;
use crate::journal::{LimitState, LimitWrite};

use super::failure::Failure;
use super::writer::Tx;

/// The stored limits of an account.
pub(super) fn read(conn: &Connection, account: &str) -> Result<LimitState, Failure> {
    let kept = conn
        .prepare_cached("SELECT version, state FROM request_counters WHERE account = ?1")?
        .query_row([account], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (version, text) = kept.unwrap_or_default();
    Ok(LimitState { version, text, now: now() })
}

/// Replaces version `seen` with `text`.
pub(super) fn write(tx: &Tx<'_>, account: &str, seen: i64, text: &str) -> Result<LimitWrite, Failure> {
    let kept = read(tx.conn, account)?;
    if kept.version != seen {
        return Ok(LimitWrite::Conflict(kept));
    }
    let version = seen + 1;
    tx.conn
        .prepare_cached(
            "INSERT INTO request_counters (account, version, state) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET version = excluded.version, state = excluded.state",
        )?
        .execute((account, version, text))?;
    Ok(LimitWrite::Done { version, now: now() })
}

fn now() -> i64 {
    Clock::system().now().timestamp_micros()
}
