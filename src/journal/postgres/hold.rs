//! Runs that wait for a connection whose credential was refused.

use crate::run::RunState;

use super::failure::Failure;
use super::row::{code, escape_nul};
use super::server::Server;

/// Removes the hold of a connection and makes its runs due; returns whether it was held.
pub(super) async fn release(server: &Server, connection: &str) -> Result<bool, Failure> {
    let sql = "WITH gone AS (DELETE FROM holds WHERE connection = $1 RETURNING reason),
               woken AS (
                   UPDATE runs r SET due = 1 FROM gone g
                   WHERE r.due > 0 AND r.state = $2 AND r.error = g.reason RETURNING 1)
               SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM woken)";
    let rows = server.pool.query(sql, &[&escape_nul(connection), &code(RunState::Waiting)]).await?;
    let row = rows.first().ok_or(Failure::Closed)?;
    let (gone, woken): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    if woken > 0 {
        server.listener.notify();
    }
    Ok(gone > 0)
}
