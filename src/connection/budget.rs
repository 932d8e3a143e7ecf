//! A connection's budget of requests, shared by everything that spends from the same counters of its API.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use indexmap::IndexMap;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use super::counter_key::CounterKey;
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

/// The limiters of a process, one for each account: connections that spend from the same counters share one.
#[derive(Debug)]
pub struct Limiters {
    store: Option<Arc<dyn LimitStore>>,
    clock: Clock,
    by_account: Mutex<IndexMap<String, Arc<Limiter>>>,
}

impl Limiters {
    /// None yet. What is counted is kept in `store`, if there is one.
    pub fn new(store: Option<Arc<dyn LimitStore>>, clock: Clock) -> Self {
        Self { store, clock, by_account: Mutex::default() }
    }

    fn of(&self, account: &str) -> Arc<Limiter> {
        let mut known = self.by_account.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Limiter::new(account.to_owned(), self.clock.clone(), self.store.clone());
        Arc::clone(known.entry(account.to_owned()).or_insert_with(new))
    }
}

impl Budget {
    /// A budget of `settings` for what is counted by `key`, until headers of these names tell better.
    pub(super) fn new(
        key: CounterKey,
        settings: BudgetSettings,
        headers: LimitHeaders,
        clock: Clock,
    ) -> Self {
        Self { key, settings, headers, limiter: OnceLock::new(), clock }
    }

    /// From now on, this is one budget with that of all connections that spend from the same counters. Only
    /// once, and before anything is sent.
    pub fn join(&self, limiters: &Limiters) {
        if self.limiter.set(self.prepared(limiters.of(&self.key.account))).is_err() {
            tracing::error!(account = self.key.account, "the budget is in use already");
        }
    }

    /// Waits for the right to send a request: higher priorities first, then first come first
    /// served. `Exhausted` when it is known that `max_wait` is too short.
    pub async fn acquire(&self, priority: Priority, max_wait: Duration) -> Result<Permit, Exhausted> {
        self.limiter().acquire(&self.key.window, priority, max_wait).await
    }

    /// The permit to send a request, if none has to be waited for.
    pub async fn try_acquire(&self) -> Option<Permit> {
        self.limiter().try_acquire(&self.key.window).await
    }

    /// Learns from the status and headers of the answer to the request that had `permit`.
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

    /// Keeps what was counted, before the program ends.
    pub(super) async fn settle(&self) {
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

    /// Requests per interval and a day, as far as known.
    #[cfg(test)]
    pub(super) fn limits(&self) -> BudgetSettings {
        self.limiter().state().counters.settings(&self.key.window)
    }
}

#[cfg(test)]
mod tests;
