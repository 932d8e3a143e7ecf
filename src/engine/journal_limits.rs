//! Limits of accounts, stored in the journal.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::connection::{CountersWrite, LimitStore, StoreUnavailable, StoredCounters};
use crate::journal::{Error, Journal, LimitState, LimitWrite};

/// Limits of accounts, stored in a journal.
pub struct JournalLimits(Arc<dyn Journal>);

impl JournalLimits {
    /// The limits shared by the processes that use `journal`.
    pub fn shared(journal: &Arc<dyn Journal>) -> Arc<dyn LimitStore> {
        Arc::new(Self(Arc::clone(journal)))
    }

    fn away(&self, account: &str, error: &Error) -> StoreUnavailable {
        if self.0.is_shared() {
            tracing::error!(account, %error, "requests wait for the store");
        } else {
            tracing::warn!(account, %error, "what is sent is not written down");
        }
        StoreUnavailable
    }
}

#[async_trait]
impl LimitStore for JournalLimits {
    fn is_shared(&self) -> bool {
        self.0.is_shared()
    }

    async fn read(&self, account: &str) -> Result<StoredCounters, StoreUnavailable> {
        let kept = self.0.limits(account).await.map_err(|error| self.away(account, &error))?;
        Ok(counters(kept))
    }

    async fn write(&self, account: &str, seen: i64, text: &str) -> Result<CountersWrite, StoreUnavailable> {
        let written = self.0.put_limits(account, seen, text).await;
        Ok(match written.map_err(|error| self.away(account, &error))? {
            LimitWrite::Done { version, now } => CountersWrite::Done { version, now },
            LimitWrite::Conflict(kept) => CountersWrite::Conflict(counters(kept)),
        })
    }
}

fn counters(kept: LimitState) -> StoredCounters {
    StoredCounters { version: kept.version, text: kept.text, now: kept.now }
}

impl fmt::Debug for JournalLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JournalLimits")
    }
}
