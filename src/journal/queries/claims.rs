//! Claims on work that only one process may do at a time.

use crate::journal::database::{Database, Param};
use crate::journal::row::Unreadable;
use crate::journal::{Claim, Error};

/// Takes or extends the claim on `name`; `None` while another owner has it. With `alone` there can be no other owner.
/// Taking it from another owner increments its epoch.
pub(in crate::journal) async fn take(
    db: &impl Database,
    name: &str,
    owner: &str,
    alone: bool,
    now: i64,
    until: i64,
) -> Result<Option<Claim>, Error> {
    let sql = "INSERT INTO claims AS c (name, owner, epoch, until) VALUES ($1, $2, 1, $3)
               ON CONFLICT (name) DO UPDATE SET
                   epoch = c.epoch + CASE WHEN c.owner <> excluded.owner OR c.until <= $4 THEN 1 ELSE 0 END,
                   owner = excluded.owner,
                   until = excluded.until
               WHERE c.owner = excluded.owner OR c.until <= $4 OR $5
               RETURNING epoch";
    let params: Vec<Param> = vec![name.into(), owner.into(), until.into(), now.into(), alone.into()];
    let mut taken = db.execute(sql, params).await?;
    let epoch = taken.first_mut().map(|row| row.integer()).transpose();
    let epoch = epoch.map_err(|unreadable: Unreadable| unreadable.into_error(db.name()))?;
    Ok(epoch.map(|epoch| Claim { name: name.to_owned(), epoch }))
}

/// Releases a claim: it expires now.
pub(in crate::journal) async fn release(db: &impl Database, claim: &Claim) -> Result<(), Error> {
    let sql = "UPDATE claims SET until = 0 WHERE name = $1 AND epoch = $2";
    db.execute(sql, vec![(&claim.name).into(), claim.epoch.into()]).await?;
    Ok(())
}
