//! Connections whose credential was refused.

use crate::journal::database::{Database, rows};
use crate::journal::encoding::stamp;
use crate::journal::{Error, HeldConnection};

/// Marks a connection as held.
pub(in crate::journal) async fn hold(db: &impl Database, held: &HeldConnection) -> Result<(), Error> {
    let sql = "INSERT INTO holds (connection, reason, since) VALUES ($1, $2, $3)
               ON CONFLICT (connection) DO UPDATE SET reason = excluded.reason, since = excluded.since";
    let HeldConnection { connection, reason, since } = held;
    db.execute(sql, vec![connection.into(), reason.into(), stamp(*since).into()]).await?;
    Ok(())
}

/// All held connections, by name.
pub(in crate::journal) async fn all(db: &impl Database) -> Result<Vec<HeldConnection>, Error> {
    let sql = "SELECT connection, reason, since FROM holds ORDER BY connection";
    rows(db, sql, vec![], |row| {
        Ok(HeldConnection { connection: row.text()?, reason: row.text()?, since: row.time()? })
    })
    .await
}
