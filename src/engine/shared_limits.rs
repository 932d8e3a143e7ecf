//! Accounts' limits, shared by way of the journal.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::connection::{Admission, Limits, SharedBudget, Verdict};
use crate::journal::{Journal, RequestEnd, RequestLeave, RequestLimits};

/// Pause after the store did not answer: what may be sent is not known then.
const AWAY: Duration = Duration::from_secs(1);

/// Accounts' limits, kept where the processes that share a journal keep everything.
pub struct SharedLimits(Arc<dyn Journal>);

impl SharedLimits {
    /// Those of the processes that share `journal`; `None` where only one works on it.
    pub fn of(journal: &Arc<dyn Journal>) -> Option<Arc<dyn SharedBudget>> {
        journal.is_shared().then(|| Arc::new(Self(Arc::clone(journal))) as Arc<dyn SharedBudget>)
    }
}

#[async_trait]
impl SharedBudget for SharedLimits {
    async fn admit(&self, connection: &str, limits: Limits) -> Admission {
        let burst = limits.burst.map(|rate| (rate.requests, rate.per));
        match self.0.admit(connection, &RequestLimits { burst, daily: limits.daily }).await {
            Ok(RequestLeave::Go(slot)) => Admission::Go(slot),
            Ok(RequestLeave::Wait(wait)) => Admission::Wait(wait),
            Ok(RequestLeave::LeftAlone(wait)) => Admission::LeftAlone(wait),
            Err(error) => {
                tracing::error!(connection, %error, "requests wait for the store");
                Admission::Wait(AWAY)
            }
        }
    }

    async fn settle(&self, connection: &str, slot: i64, verdict: Verdict) {
        let end = RequestEnd { alive: verdict.alive, pause: verdict.pause };
        if let Err(error) = self.0.settle(connection, slot, &end).await {
            tracing::debug!(connection, %error, "the place of a request becomes free by itself");
        }
    }
}

impl fmt::Debug for SharedLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedLimits")
    }
}
