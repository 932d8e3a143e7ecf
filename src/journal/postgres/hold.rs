//! Connections whose credential is refused, and the runs that wait for them.

use crate::journal::HeldConnection;
use crate::journal::encoding::{TIMES, stamp, time};
use crate::run::RunState;

use super::failure::Failure;
use super::pool::Pool;
use super::row::{Columns, code, escape_nul};
use super::server::Server;

/// Notes that a connection is held.
pub(super) async fn hold(pool: &Pool, held: &HeldConnection) -> Result<(), Failure> {
    let sql = "INSERT INTO holds (connection, reason, since) VALUES ($1, $2, $3)
               ON CONFLICT (connection) DO UPDATE SET reason = excluded.reason, since = excluded.since";
    pool.query(sql, &[&escape_nul(&held.connection), &escape_nul(&held.reason), &stamp(held.since)]).await?;
    Ok(())
}

/// Lets a connection go, and the runs that waited for it; whether it was held.
pub(super) async fn release(server: &Server, connection: &str) -> Result<bool, Failure> {
    let sql = "WITH gone AS (DELETE FROM holds WHERE connection = $1 RETURNING reason),
               woken AS (
                   UPDATE runs r SET due = r.priority FROM gone g
                   WHERE r.due >= $2 AND r.state = $3 AND r.error = g.reason RETURNING 1)
               SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM woken)";
    let rows = server.pool.query(sql, &[&escape_nul(connection), &TIMES, &code(RunState::Waiting)]).await?;
    let row = rows.first().ok_or(Failure::Closed)?;
    let (gone, woken): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    if woken > 0 {
        server.listener.tell();
    }
    Ok(gone > 0)
}

/// All connections that are held, by name.
pub(super) async fn all(pool: &Pool) -> Result<Vec<HeldConnection>, Failure> {
    let sql = "SELECT connection, reason, since FROM holds ORDER BY connection";
    let held = |row: &tokio_postgres::Row| {
        let mut columns = Columns::of(row);
        let (connection, reason) = (columns.text()?, columns.text()?);
        Ok(HeldConnection { connection, reason, since: time(columns.value()?) })
    };
    pool.query(sql, &[]).await?.iter().map(held).collect()
}
