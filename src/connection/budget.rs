//! A connection's budget of requests, shared by everything that uses the connection.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use tokio::sync::Notify;

use super::rate::{BudgetSettings, Rate};
use super::window::{Told, Window};
use crate::catalog::LimitHeaders;

/// Who goes first when the budget is short.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Runs of events that somebody just sent.
    #[default]
    Webhook,
    /// Pollers, and runs of what they found.
    Poll,
    /// Reading in what was there before.
    Backfill,
}

/// A budget that stays empty for longer than the caller waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted {
    /// How long it stays empty.
    pub wait: Duration,
}

/// A budget. Clones share it.
#[derive(Debug, Clone)]
pub struct Budget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
    headers: LimitHeaders,
}

#[derive(Debug)]
struct State {
    window: Window,
    /// Who waits, in the order in which they go.
    queue: BTreeSet<(Priority, u64)>,
    tickets: u64,
}

/// The right to send one request. Dropped when it is answered.
#[derive(Debug)]
pub struct Permit(Arc<Shared>);

/// A place in the queue, given up when the wait is cancelled.
struct Place<'a> {
    shared: &'a Shared,
    key: (Priority, u64),
}

impl Budget {
    /// A budget of `settings`, until headers of these names tell better.
    pub fn new(settings: BudgetSettings, headers: LimitHeaders) -> Self {
        let state = State { window: Window::new(settings), queue: BTreeSet::new(), tickets: 0 };
        Self(Arc::new(Shared { state: Mutex::new(state), changed: Notify::new(), headers }))
    }

    /// Waits for the right to send a request: higher priorities first, then first come first
    /// served. `Exhausted` when it is known that `patience` is too short.
    pub async fn acquire(&self, priority: Priority, patience: Duration) -> Result<Permit, Exhausted> {
        let begun = Instant::now();
        let place = self.0.enqueue(priority);
        loop {
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            // Registered before looking, so that no change in between is missed.
            changed.as_mut().enable();
            let wait = match self.0.try_take(place.key) {
                Turn::Taken => return Ok(Permit(Arc::clone(&self.0))),
                Turn::After(wait) => {
                    if begun.elapsed() + wait > patience {
                        return Err(Exhausted { wait });
                    }
                    Some(wait)
                }
                Turn::NotFirst => None,
            };
            match wait {
                Some(wait) => {
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = changed => {}
                    }
                }
                None => changed.await,
            }
        }
    }

    /// The right to send a request, if it can be had without waiting.
    pub fn try_acquire(&self) -> Option<Permit> {
        let mut state = self.0.state();
        let free = state.queue.is_empty() && state.window.take(Instant::now()).is_none();
        free.then(|| Permit(Arc::clone(&self.0)))
    }

    /// Learns from an answer's status and headers.
    pub fn learn(&self, status: StatusCode, headers: &HeaderMap, retry_after: Option<Duration>) {
        let told = self.0.told(headers);
        let now = Instant::now();
        let mut state = self.0.state();
        state.window.learn(told, now);
        if status == StatusCode::TOO_MANY_REQUESTS {
            let interval = told.interval.filter(|_| told.daily_remaining != Some(0));
            state.window.pause(retry_after.or(interval), now);
        }
        drop(state);
        self.0.changed.notify_waiters();
    }

    /// Requests per interval, as far as known.
    pub fn rate(&self) -> Option<Rate> {
        self.0.state().window.rate()
    }

    /// Requests left today, as far as known.
    pub fn daily_left(&self) -> Option<u64> {
        self.0.state().window.daily_left()
    }
}

enum Turn {
    Taken,
    After(Duration),
    NotFirst,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enqueue(&self, priority: Priority) -> Place<'_> {
        let mut state = self.state();
        state.tickets += 1;
        let key = (priority, state.tickets);
        state.queue.insert(key);
        Place { shared: self, key }
    }

    fn try_take(&self, key: (Priority, u64)) -> Turn {
        let mut state = self.state();
        if state.queue.first() != Some(&key) {
            return Turn::NotFirst;
        }
        match state.window.take(Instant::now()) {
            None => Turn::Taken,
            Some(wait) => Turn::After(wait),
        }
    }

    fn told(&self, headers: &HeaderMap) -> Told {
        let number = |name: &Option<String>| -> Option<u64> {
            let text = headers.get(name.as_deref()?)?.to_str().ok()?;
            text.trim().parse().ok()
        };
        let small = |name| number(name).map(|number| u32::try_from(number).unwrap_or(u32::MAX));
        Told {
            max: small(&self.headers.max),
            remaining: small(&self.headers.remaining),
            interval: number(&self.headers.interval_ms).map(Duration::from_millis),
            daily: number(&self.headers.daily),
            daily_remaining: number(&self.headers.daily_remaining),
            daily_reset: number(&self.headers.daily_reset_ms).map(Duration::from_millis),
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.shared.state().queue.remove(&self.key);
        self.shared.changed.notify_waiters();
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.state().window.release(Instant::now());
        self.0.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn budget(rate: &str) -> Budget {
        let settings = BudgetSettings { burst: Some(rate.parse().unwrap()), daily: None };
        let headers = LimitHeaders {
            daily_remaining: Some("x-left".into()),
            daily_reset_ms: Some("x-reset".into()),
            ..LimitHeaders::default()
        };
        Budget::new(settings, headers)
    }

    #[tokio::test]
    async fn never_more_than_allowed_in_any_interval() {
        let budget = budget("5/100ms");
        let mut sent = Vec::new();
        let waiting = (0..15).map(|_| {
            let budget = budget.clone();
            tokio::spawn(async move {
                let _permit = budget.acquire(Priority::Poll, LONG).await.unwrap();
                Instant::now()
            })
        });
        for task in waiting.collect::<Vec<_>>() {
            sent.push(task.await.unwrap());
        }
        sent.sort();
        for six in sent.windows(6) {
            assert!(six[5] - six[0] >= Duration::from_millis(99), "{:?}", six[5] - six[0]);
        }
    }

    #[tokio::test]
    async fn webhooks_go_before_polls_and_cancelled_waits_leave_no_trace() {
        let budget = budget("1/50ms");
        drop(budget.acquire(Priority::Poll, LONG).await.unwrap());
        let order = Arc::new(Mutex::new(Vec::new()));
        let spawn = |priority: Priority| {
            let (budget, order) = (budget.clone(), Arc::clone(&order));
            tokio::spawn(async move {
                let _permit = budget.acquire(priority, LONG).await.unwrap();
                order.lock().unwrap().push(priority);
            })
        };
        let tasks = [Priority::Backfill, Priority::Poll, Priority::Webhook, Priority::Webhook].map(spawn);
        while budget.0.state().queue.len() < 4 {
            tokio::task::yield_now().await;
        }
        let [backfill, poll, cancelled, webhook] = tasks;
        cancelled.abort();
        for task in [backfill, poll, webhook] {
            task.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), [Priority::Webhook, Priority::Poll, Priority::Backfill]);
    }

    #[tokio::test]
    async fn an_empty_day_is_not_waited_for() {
        let budget = budget("100/10s");
        let mut headers = HeaderMap::new();
        headers.insert("x-left", "0".parse().unwrap());
        headers.insert("x-reset", "3600000".parse().unwrap());
        budget.learn(StatusCode::OK, &headers, None);
        let exhausted = budget.acquire(Priority::Webhook, LONG).await.unwrap_err();
        assert!(exhausted.wait > Duration::from_secs(3590), "{exhausted:?}");
        assert!(budget.try_acquire().is_none());
    }
}
