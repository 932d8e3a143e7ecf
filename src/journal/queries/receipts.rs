//! Dedup keys of stored events.

use chrono::{DateTime, Utc};

use crate::event::{DedupKey, Source};
use crate::journal::Error;
use crate::journal::database::Database;
use crate::journal::encoding::stamp;
use crate::journal::event_row::event_receipt;
use crate::journal::row::Unreadable;

/// Deletes a dedup key stored before `before`.
pub(in crate::journal) async fn forget(
    db: &impl Database,
    source: &Source,
    dedup: &DedupKey,
    before: DateTime<Utc>,
) -> Result<(), Error> {
    let key = event_receipt(source, dedup).map_err(|error| Unreadable::from(error).into_error(db.name()))?;
    let sql = "DELETE FROM receipts WHERE key = $1 AND received < $2";
    db.execute(sql, vec![key.to_vec().into(), stamp(before).into()]).await?;
    Ok(())
}
