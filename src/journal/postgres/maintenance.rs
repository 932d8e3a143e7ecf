//! Pruning in small steps, and the check that the store accepts writes.

use crate::journal::encoding::stamp;
use crate::journal::{Pruned, Retention};
use crate::run::RunState;

use super::failure::Failure;
use super::row::{code, number};
use super::server::Server;

/// Deletes up to `limit` each of runs, events and dedup keys.
pub(super) async fn prune(server: &Server, retention: &Retention, limit: usize) -> Result<Pruned, Failure> {
    let ended: Vec<i32> = RunState::ALL.into_iter().filter(|state| state.is_finished()).map(code).collect();
    let (before, dedup_before) = (retention.before.map(stamp), retention.dedup_before.map(stamp));
    let sql = "SELECT runs, events, dedup_keys FROM hob_prune_vN($1, $2, $3, $4, $5)";
    let params: super::session::Params<'_> =
        &[&ended, &before, &retention.most_runs.map(number), &dedup_before, &number(limit)];
    let rows = server.pool.query(sql, params).await?;
    let row = rows.first().ok_or(Failure::Closed)?;
    let count = |place: usize| -> Result<usize, Failure> {
        Ok(usize::try_from(row.try_get::<_, i64>(place)?).unwrap_or(0))
    };
    Ok(Pruned { runs: count(0)?, events: count(1)?, dedup_keys: count(2)? })
}

/// Writes something, to check that writes succeed.
pub(super) async fn probe(server: &Server) -> Result<(), Failure> {
    server.pool.query("UPDATE store SET probe = probe + 1", &[]).await?;
    Ok(())
}
