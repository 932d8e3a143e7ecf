//! Dedup keys of events that have come.

use chrono::{DateTime, Utc};

use crate::event::{DedupKey, Source};
use crate::journal::Error;
use crate::journal::database::Database;
use crate::journal::encoding::stamp;
use crate::journal::event_row::receipt_of;
use crate::journal::row::Unreadable;

/// Forgets a dedup key that was noted before `before`.
pub(in crate::journal) async fn forget(
    db: &impl Database,
    source: &Source,
    dedup: &DedupKey,
    before: DateTime<Utc>,
) -> Result<(), Error> {
    let key = receipt_of(source, dedup).map_err(|error| Unreadable::from(error).of(db.name()))?;
    let sql = "DELETE FROM receipts WHERE key = $1 AND received < $2";
    db.execute(sql, vec![key.to_vec().into(), stamp(before).into()]).await?;
    Ok(())
}
