//! Claims on work that only one process may do at a time.

use crate::journal::Claim;

use super::failure::Failure;
use super::writer::Tx;

/// Fails if another process has taken the claim over.
pub(super) fn ensure_held(tx: &Tx<'_>, claim: &Claim) -> Result<(), Failure> {
    let held = tx
        .conn
        .prepare_cached("SELECT 1 FROM claims WHERE name = ?1 AND epoch = ?2")?
        .exists((&claim.name, claim.epoch))?;
    if held { Ok(()) } else { Err(Failure::Overtaken(claim.name.clone())) }
}
