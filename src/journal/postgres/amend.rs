//! Interventions in runs that are not leased.

use crate::journal::RunUpdate;
use crate::journal::encoding::stamp;
use crate::run::RunId;

use super::failure::Failure;
use super::row::{code, escape_nul, escape_nul_some};
use super::run_update;
use super::server::Server;

/// Appends to a run that is not leased and has exactly `seen` entries; `false` otherwise.
pub(super) async fn amend(
    server: &Server,
    run: &RunId,
    seen: usize,
    texts: Vec<String>,
    update: &RunUpdate,
) -> Result<bool, Failure> {
    let Ok(seen) = i32::try_from(seen) else { return Ok(false) };
    let ended = update.state.is_finished().then(|| stamp(update.now));
    let (error, version) =
        (escape_nul_some(update.error.as_deref()), escape_nul_some(update.version.as_deref()));
    let (id, number, state) = (escape_nul(&run.0), run_update::number(), code(update.state));
    let sql = "SELECT hob_amend_vN($1, $2, $3, $4, $5, $6, $7, $8)";
    let params: super::session::Params<'_> = &[&id, &seen, &number, &state, &ended, &error, &version, &texts];
    let rows = server.pool.query(sql, params).await?;
    let done = rows.first().ok_or(Failure::Closed)?.try_get(0)?;
    if done {
        server.listener.notify();
    }
    Ok(done)
}
