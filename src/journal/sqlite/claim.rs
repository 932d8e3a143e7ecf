//! What only one process may do at a time.

use rusqlite::OptionalExtension;

use crate::journal::Claim;

use super::failure::Failure;
use super::writer::Tx;

/// Takes or extends the claim on `name`; `None` while another owner has it. With `alone`, there is no
/// other owner. Each time that it is taken, not extended, its epoch grows.
pub(super) fn take(
    tx: &Tx<'_>,
    name: &str,
    owner: &str,
    alone: bool,
    now: i64,
    until: i64,
) -> Result<Option<Claim>, Failure> {
    let epoch = tx
        .conn
        .prepare_cached(
            "INSERT INTO claims (name, owner, epoch, until) VALUES (?1, ?2, 1, ?4)
             ON CONFLICT DO UPDATE SET
                 epoch = epoch + (owner <> excluded.owner OR until <= ?3),
                 owner = excluded.owner,
                 until = excluded.until
             WHERE owner = excluded.owner OR until <= ?3 OR ?5
             RETURNING epoch",
        )?
        .query_row((name, owner, now, until, alone), |row| row.get(0))
        .optional()?;
    Ok(epoch.map(|epoch| Claim { name: name.to_owned(), epoch }))
}

/// Gives a claim up: it ends at once.
pub(super) fn release(tx: &Tx<'_>, claim: &Claim) -> Result<(), Failure> {
    tx.conn
        .prepare_cached("UPDATE claims SET until = 0 WHERE name = ?1 AND epoch = ?2")?
        .execute((&claim.name, claim.epoch))?;
    Ok(())
}

/// Fails unless nobody has taken the claim over.
pub(super) fn hold(tx: &Tx<'_>, claim: &Claim) -> Result<(), Failure> {
    let held = tx
        .conn
        .prepare_cached("SELECT 1 FROM claims WHERE name = ?1 AND epoch = ?2")?
        .exists((&claim.name, claim.epoch))?;
    if held { Ok(()) } else { Err(Failure::Overtaken(claim.name.clone())) }
}
