//! Limits of accounts, shared by all processes.

use crate::journal::{LimitState, LimitWrite};

use super::failure::Failure;
use super::pool::Pool;
use super::row::escape_nul;

/// The stored limits of an account.
pub(super) async fn read(pool: &Pool, account: &str) -> Result<LimitState, Failure> {
    let sql = "SELECT version, state, hob_now_vN() FROM request_counters WHERE account = $1
               UNION ALL SELECT 0, '', hob_now_vN() ORDER BY 1 DESC LIMIT 1";
    let rows = pool.query(sql, &[&escape_nul(account)]).await?;
    let row = rows.first().ok_or(Failure::Closed)?;
    Ok(LimitState { version: row.try_get(0)?, text: row.try_get(1)?, now: row.try_get(2)? })
}

/// Replaces version `seen` with `text`.
pub(super) async fn write(pool: &Pool, account: &str, seen: i64, text: &str) -> Result<LimitWrite, Failure> {
    let sql = "SELECT done, version, state, moment FROM hob_put_counters_vN($1, $2, $3)";
    let rows = pool.query(sql, &[&escape_nul(account), &seen, &text]).await?;
    let row = rows.first().ok_or(Failure::Closed)?;
    let (version, now) = (row.try_get(1)?, row.try_get(3)?);
    Ok(match row.try_get(0)? {
        true => LimitWrite::Done { version, now },
        false => LimitWrite::Conflict(LimitState { version, text: row.try_get(2)?, now }),
    })
}
