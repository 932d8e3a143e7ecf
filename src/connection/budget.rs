//! A connection's budget of requests, shared by all connections that use the same counters of an API.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use super::counter_key::CounterKey;
use super::counter_snapshot::Snapshot;
use super::counter_state::CounterState;
use super::limit_headers::LimitHeaderValues;
use super::limit_store::LimitStore;
use super::limiter::{Exhausted, Limiter, Permit};
use super::rate::BudgetSettings;
use crate::catalog::LimitHeaders;
use crate::clock::Clock;
use crate::event::Priority;

/// A budget.
#[derive(Debug)]
pub struct Budget {
    key: CounterKey,
    settings: BudgetSettings,
    headers: LimitHeaders,
    limiter: OnceLock<Arc<Limiter>>,
    clock: Clock,
}

/// The limiters of a process, one per account: connections that use the same counters share one.
#[derive(Debug)]
pub struct Limiters {
    store: Option<Arc<dyn LimitStore>>,
    clock: Clock,
    by_account: Mutex<IndexMap<String, Arc<Limiter>>>,
}

impl Limiters {
    /// No limiters. Counters are stored in `store`, if there is one.
    pub fn new(store: Option<Arc<dyn LimitStore>>, clock: Clock) -> Self {
        Self { store, clock, by_account: Mutex::default() }
    }

    fn for_account(&self, account: &str) -> Arc<Limiter> {
        let mut known = self.by_account.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Limiter::new(account.to_owned(), self.clock.clone(), self.store.clone());
        Arc::clone(known.entry(account.to_owned()).or_insert_with(new))
    }
}

impl Budget {
    /// A budget with these settings for the counters named by `key`; headers named in `names` override the settings.
    pub(super) fn new(
        key: CounterKey,
        settings: BudgetSettings,
        headers: LimitHeaders,
        clock: Clock,
    ) -> Self {
        Self { key, settings, headers, limiter: OnceLock::new(), clock }
    }

    /// Shares the limiter with all connections that use the same counters. To be called once, before anything is
    /// sent.
    pub fn join(&self, limiters: &Limiters) {
        if self.limiter.set(self.prepared(limiters.for_account(&self.key.account))).is_err() {
            tracing::error!(account = self.key.account, "the budget is in use already");
        }
    }

    /// Waits for a permit to send a request. Higher priorities come first, then first come, first served. `Exhausted`
    /// if the wait is known to exceed `max_wait`.
    pub async fn acquire(&self, priority: Priority, max_wait: Duration) -> Result<Permit, Exhausted> {
        self.limiter().acquire(&self.key.window, priority, max_wait).await
    }

    /// A permit, if one is available at once to requests of this priority.
    pub async fn try_acquire(&self, priority: Priority) -> Option<Permit> {
        self.limiter().try_acquire(&self.key.window, priority).await
    }

    /// Learns from the answer to the request that had `permit`.
    pub fn learn(
        &self,
        permit: &mut Permit,
        status: StatusCode,
        headers: &HeaderMap,
        retry_after: Option<Duration>,
    ) {
        permit.outcome.told = Some(LimitHeaderValues::read(&self.headers, headers));
        permit.outcome.refused = (status == StatusCode::TOO_MANY_REQUESTS).then_some(retry_after);
    }

    /// Whether so little is left of the day's requests that polls should slow down.
    pub fn is_scarce(&self) -> bool {
        self.limiter().is_scarce()
    }

    /// The name of its daily counter, under which the store keeps it.
    pub fn account(&self) -> &str {
        &self.key.account
    }

    /// What is known of its counters at `now`, if `stored` is what the store keeps of the account. Where only this
    /// process counts, it knows better.
    pub fn state(&self, stored: &str, now: DateTime<Utc>) -> CounterState {
        let own = self.limiter.get().and_then(|limiter| limiter.own_counters());
        let known = own.unwrap_or_else(|| Snapshot::read(stored));
        CounterState::new(&self.key.account, &self.key.window, self.settings, known, now)
    }

    /// Stores the counters before the program ends.
    pub(super) async fn save_counters(&self) {
        if let Some(limiter) = self.limiter.get() {
            limiter.write_last().await;
            limiter.flush_ends().await;
        }
    }

    fn limiter(&self) -> &Arc<Limiter> {
        self.limiter
            .get_or_init(|| self.prepared(Limiter::new(self.key.account.clone(), self.clock.clone(), None)))
    }

    fn prepared(&self, limiter: Arc<Limiter>) -> Arc<Limiter> {
        limiter.admit_window(&self.key.window, self.settings);
        limiter
    }

    /// The known limits per interval and day.
    #[cfg(test)]
    pub(super) fn limits(&self) -> BudgetSettings {
        self.limiter().state().counters.settings(&self.key.window)
    }
}

#[cfg(test)]
mod tests;
