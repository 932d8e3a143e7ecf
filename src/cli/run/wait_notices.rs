//! Notices of waits in `--once`, so that it does not seem to hang.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::request::OnWait;
use crate::value::after;

/// Minimum interval between notices about a connection.
const REST: Duration = Duration::from_secs(30);

/// Logs them to standard error.
pub(super) fn notices(clock: Clock) -> OnWait {
    let stop_requested = Mutex::new(BTreeMap::new());
    OnWait::new(move |connection, at_most| {
        let now = clock.now();
        let mut stop_requested = stop_requested.lock().unwrap_or_else(PoisonError::into_inner);
        if stop_requested.get(connection).is_some_and(|again| now < *again) {
            return;
        }
        stop_requested.insert(connection.to_owned(), after(now, REST));
        let until = after(now, at_most).format("%H:%M:%SZ");
        tracing::warn!(
            "waiting for the request budget of connection `{connection}`, until {until} at the latest"
        );
    })
}
