//! Logins of the dashboard.

use chrono::{DateTime, Utc};

use crate::journal::database::{Database, row};
use crate::journal::encoding::stamp;
use crate::journal::row::{Row, Unreadable};
use crate::journal::{Error, OperatorSession};

/// Stores a new session.
pub(in crate::journal) async fn put(db: &impl Database, session: &OperatorSession) -> Result<(), Error> {
    let sql = "INSERT INTO sessions (id, operator, credential, started, used) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING";
    let OperatorSession { id, operator, credential, started, used } = session;
    let params = vec![
        id.to_vec().into(),
        operator.into(),
        credential.to_vec().into(),
        stamp(*started).into(),
        stamp(*used).into(),
    ];
    db.execute(sql, params).await?;
    Ok(())
}

/// A session.
pub(in crate::journal) async fn find(
    db: &impl Database,
    id: &[u8; 32],
) -> Result<Option<OperatorSession>, Error> {
    let sql = "SELECT operator, credential, started, used FROM sessions WHERE id = $1";
    let decode = |row: &mut Row| {
        let operator = row.text()?;
        let credential = row.bytes()?.try_into();
        let credential = credential.map_err(|_| Unreadable("a session has no credential".to_owned()))?;
        Ok(OperatorSession { id: *id, operator, credential, started: row.time()?, used: row.time()? })
    };
    row(db, sql, vec![id.to_vec().into()], decode).await
}

/// Records that a session was used at `used`, unless it has ended.
pub(in crate::journal) async fn touch(
    db: &impl Database,
    id: &[u8; 32],
    used: DateTime<Utc>,
) -> Result<(), Error> {
    db.execute("UPDATE sessions SET used = $2 WHERE id = $1", vec![id.to_vec().into(), stamp(used).into()])
        .await?;
    Ok(())
}

/// Ends a session.
pub(in crate::journal) async fn end(db: &impl Database, id: &[u8; 32]) -> Result<(), Error> {
    db.execute("DELETE FROM sessions WHERE id = $1", vec![id.to_vec().into()]).await?;
    Ok(())
}

/// Deletes sessions last used before `before`.
pub(in crate::journal) async fn forget(db: &impl Database, before: DateTime<Utc>) -> Result<(), Error> {
    db.execute("DELETE FROM sessions WHERE used < $1", vec![stamp(before).into()]).await?;
    Ok(())
}
