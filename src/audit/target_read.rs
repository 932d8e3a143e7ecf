//! Reads one record, with retries.

use std::sync::Arc;
use std::time::Duration;

use crate::catalog::{Catalog, Operation};
use crate::connection::Connection;
use crate::event::Priority;
use crate::request::{CallOptions, Client, Outcome, list};
use crate::value::{Map, Value};

/// Longest wait for the API.
const MAX_WAIT: Duration = Duration::from_secs(90);
/// Shortest pause between attempts.
const PAUSE: Duration = Duration::from_millis(200);
/// Most attempts for one record.
const MAX_ATTEMPTS: u32 = 5;

/// Why a record cannot be read.
pub(super) struct NotRead {
    pub(super) reason: String,
    /// The API refused this record; others may be read.
    pub(super) is_refused: bool,
}

impl NotRead {
    fn new(reason: String) -> Self {
        Self { reason, is_refused: false }
    }
}

/// The answer's body; `Ok(None)` where there is no such record.
pub(super) async fn read(
    client: &Client,
    catalog: &Catalog,
    operation: &Arc<Operation>,
    inputs: &Map<String, Value>,
    connection: &Connection,
) -> Result<Option<Value>, NotRead> {
    let options = CallOptions { priority: Priority::Backfill, max_wait: MAX_WAIT, ..CallOptions::default() };
    let mut last = String::new();
    for _ in 0..MAX_ATTEMPTS {
        let outcome = client.call(catalog, operation, inputs, connection, &options).await;
        let pause = match outcome.map_err(|problems| NotRead::new(list(&problems)))? {
            Outcome::Ok(answer) => return Ok(Some(answer.body)),
            Outcome::Refused(refusal) if refusal.gone || refusal.status == Some(404) => return Ok(None),
            Outcome::Refused(refusal) => return Err(NotRead { reason: refusal.message, is_refused: true }),
            Outcome::Unauthorized { reason, .. } => return Err(NotRead::new(reason)),
            Outcome::RateLimited { retry_after } => {
                "the API's rate limit is reached".clone_into(&mut last);
                retry_after
            }
            Outcome::Held { wait, reason, .. } => {
                last = reason;
                wait
            }
            Outcome::TryAgain { reason, retry_after, .. } => {
                last = reason;
                retry_after.unwrap_or_default()
            }
            Outcome::InDoubt { reason, .. } => {
                last = reason;
                Duration::ZERO
            }
        };
        if pause > MAX_WAIT {
            break;
        }
        tokio::time::sleep(pause.max(PAUSE)).await;
    }
    Err(NotRead::new(last))
}
