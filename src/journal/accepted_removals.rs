//! What a person accepted of the removals that polls withhold. Stored among the values, because a poll in progress
//! overwrites its cursor.

use serde_json::Value;

use super::{Error, Journal};
use crate::event::{CursorKey, WithheldRemovals};

/// Prefix of the keys; followed by the cursor's.
const PREFIX: &str = "hob:accepted-removals:";

/// Accepts what `withheld` shows: the next poll of `key` reports those of its records that are still missing, and no
/// others, whatever is missing by then.
pub async fn accept_removals(
    journal: &dyn Journal,
    key: &CursorKey,
    withheld: &WithheldRemovals,
) -> Result<(), Error> {
    journal.put_state(&format!("{PREFIX}{key}"), &withheld.before.into()).await
}

/// The scan before which the accepted records were last seen, if what `withheld` shows, or an earlier state of it,
/// was accepted.
pub async fn accepted_removals(
    journal: &dyn Journal,
    key: &CursorKey,
    withheld: &WithheldRemovals,
) -> Result<Option<u64>, Error> {
    let accepted = journal.state(&format!("{PREFIX}{key}")).await?;
    Ok(accepted.and_then(|before| before.as_u64()).filter(|before| *before <= withheld.before))
}

/// Forgets what was accepted, because it is reported.
pub async fn forget_accepted_removals(journal: &dyn Journal, key: &CursorKey) -> Result<(), Error> {
    journal.put_state(&format!("{PREFIX}{key}"), &Value::Null).await
}
