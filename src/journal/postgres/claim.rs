//! What only one process may do at a time.

use crate::journal::Claim;

use super::failure::Failure;
use super::pool::Pool;
use super::row::escape_nul;

/// Takes or extends the claim on `name`; `None` while another owner has it. Each time that it is taken,
/// not extended, its epoch grows.
pub(super) async fn take(
    pool: &Pool,
    name: &str,
    owner: &str,
    now: i64,
    until: i64,
) -> Result<Option<Claim>, Failure> {
    let sql = "INSERT INTO claims AS c (name, owner, epoch, until) VALUES ($1, $2, 1, $4)
               ON CONFLICT (name) DO UPDATE SET
                   epoch = c.epoch + CASE WHEN c.owner <> excluded.owner OR c.until <= $3 THEN 1 ELSE 0 END,
                   owner = excluded.owner,
                   until = excluded.until
               WHERE c.owner = excluded.owner OR c.until <= $3
               RETURNING c.epoch";
    let rows = pool.query(sql, &[&escape_nul(name), &escape_nul(owner), &now, &until]).await?;
    let epoch: Option<i64> = rows.first().map(|row| row.try_get(0)).transpose()?;
    Ok(epoch.map(|epoch| Claim { name: name.to_owned(), epoch }))
}

/// Gives a claim up: it ends at once.
pub(super) async fn release(pool: &Pool, claim: &Claim) -> Result<(), Failure> {
    let sql = "UPDATE claims SET until = 0 WHERE name = $1 AND epoch = $2";
    pool.query(sql, &[&escape_nul(&claim.name), &claim.epoch]).await?;
    Ok(())
}
