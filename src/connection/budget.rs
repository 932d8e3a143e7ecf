//! A connection's budget of requests, shared by everything that uses the connection.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use tokio::sync::Notify;

use super::rate::BudgetSettings;
use super::shared_budget::{Limits, Part, SharedBudget, Slot};
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
    /// Another process found that the account keeps failing: it is left alone for so long.
    pub left_alone: bool,
}

/// A budget. Clones share it.
#[derive(Debug, Clone)]
pub struct Budget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
    headers: LimitHeaders,
    /// What is shared with other processes, where there are any.
    part: OnceLock<Part>,
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
pub struct Permit {
    shared: Arc<Shared>,
    /// Its place among the requests of all processes.
    slot: Option<Slot>,
    /// There was no such place: nothing is sent.
    unused: bool,
}

/// A place in the queue, given up when the wait is cancelled.
struct Place<'a> {
    shared: &'a Shared,
    key: (Priority, u64),
}

impl Budget {
    /// A budget of `settings`, until headers of these names tell better.
    pub fn new(settings: BudgetSettings, headers: LimitHeaders) -> Self {
        let state = State { window: Window::new(settings), queue: BTreeSet::new(), tickets: 0 };
        Self(Arc::new(Shared {
            state: Mutex::new(state),
            changed: Notify::new(),
            headers,
            part: OnceLock::new(),
        }))
    }

    /// From now on, this is the budget of the processes that share `common`, together. Only once.
    pub fn share(&self, connection: &str, common: Arc<dyn SharedBudget>) {
        let part = Part { connection: connection.to_owned(), common };
        if self.0.part.set(part).is_err() {
            tracing::error!(connection, "the budget is shared already");
        }
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
                Turn::Taken => match self.0.among_all().await {
                    Ok(permit) => return Ok(permit),
                    Err(exhausted) if exhausted.left_alone => return Err(exhausted),
                    Err(exhausted) => Some(exhausted.wait),
                },
                Turn::After(wait) => Some(wait),
                Turn::NotFirst => None,
            };
            match wait {
                Some(wait) if begun.elapsed() + wait > patience => {
                    return Err(Exhausted { wait, left_alone: false });
                }
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
    pub async fn try_acquire(&self) -> Option<Permit> {
        let free = {
            let mut state = self.0.state();
            state.queue.is_empty() && state.window.take(Instant::now()).is_none()
        };
        if free { self.0.among_all().await.ok() } else { None }
    }

    /// Learns from the status and headers of the answer to the request that had `permit`.
    pub fn learn(
        &self,
        permit: &mut Permit,
        status: StatusCode,
        headers: &HeaderMap,
        retry_after: Option<Duration>,
    ) {
        let told = self.0.told(headers);
        let now = Instant::now();
        let mut state = self.0.state();
        state.window.learn(told, now);
        if status == StatusCode::TOO_MANY_REQUESTS {
            let interval = told.interval.filter(|_| told.daily_remaining != Some(0));
            let pause = state.window.pause(retry_after.or(interval), now);
            if let Some(slot) = &mut permit.slot {
                slot.verdict.pause = Some(pause);
            }
        }
        drop(state);
        self.0.changed.notify_waiters();
    }

    /// Requests per interval and a day, as far as known.
    #[cfg(test)]
    pub(super) fn limits(&self) -> Limits {
        self.0.limits()
    }
}

enum Turn {
    Taken,
    After(Duration),
    NotFirst,
}

impl Shared {
    fn limits(&self) -> Limits {
        let window = &self.state().window;
        Limits { burst: window.rate(), daily: window.daily_limit() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A slot of our own is taken: a place among the requests of all processes as well, or the slot is
    /// free again.
    async fn among_all(self: &Arc<Self>) -> Result<Permit, Exhausted> {
        // Gives the slot back when it is dropped.
        let mut permit = Permit { shared: Arc::clone(self), slot: None, unused: false };
        let Some(part) = self.part.get() else { return Ok(permit) };
        match part.admit(self.limits()).await {
            Ok(slot) => {
                permit.slot = Some(slot);
                Ok(permit)
            }
            Err(exhausted) => {
                permit.unused = true;
                Err(exhausted)
            }
        }
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

impl Permit {
    /// Whether the account answered the request, and not with a 5xx.
    pub fn report(&mut self, alive: bool) {
        if let Some(slot) = &mut self.slot {
            slot.verdict.alive = Some(alive);
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
        let mut state = self.shared.state();
        match self.unused {
            true => state.window.untake(),
            false => state.window.release(Instant::now()),
        }
        drop(state);
        self.shared.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::super::shared_budget::{Admission, Verdict};
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
        // Its place comes free when it is dropped: only when all wait.
        let first = budget.acquire(Priority::Poll, LONG).await.unwrap();
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
        drop(first);
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
        let mut permit = budget.acquire(Priority::Webhook, LONG).await.unwrap();
        budget.learn(&mut permit, StatusCode::OK, &headers, None);
        let exhausted = budget.acquire(Priority::Webhook, LONG).await.unwrap_err();
        assert!(exhausted.wait > Duration::from_secs(3000), "{exhausted:?}");
        assert!(budget.try_acquire().await.is_none());
    }

    /// Lets so many go, in all, and remembers what was settled.
    #[derive(Debug, Default)]
    struct Few {
        left: Mutex<u32>,
        settled: Mutex<Vec<(i64, Verdict)>>,
    }

    #[async_trait::async_trait]
    impl SharedBudget for Few {
        async fn admit(&self, connection: &str, limits: Limits) -> Admission {
            assert_eq!((connection, limits.burst.unwrap().requests), ("studio", 100));
            let mut left = self.left.lock().unwrap();
            if *left == 0 {
                return Admission::Wait(LONG * 2);
            }
            *left -= 1;
            Admission::Go(i64::from(*left))
        }

        async fn settle(&self, _: &str, slot: i64, verdict: Verdict) {
            self.settled.lock().unwrap().push((slot, verdict));
        }
    }

    #[tokio::test]
    async fn what_is_shared_has_the_last_word_and_learns_what_became_of_it() {
        let (budget, few) = (budget("100/10s"), Arc::new(Few { left: Mutex::new(2), ..Few::default() }));
        budget.share("studio", Arc::clone(&few) as Arc<dyn SharedBudget>);
        let mut refused = budget.try_acquire().await.unwrap();
        let mut failed = budget.acquire(Priority::Poll, LONG).await.unwrap();
        let exhausted = budget.acquire(Priority::Poll, LONG).await.unwrap_err();
        assert_eq!(exhausted, Exhausted { wait: LONG * 2, left_alone: false });
        assert!(budget.try_acquire().await.is_none());
        // What was not sent uses up nothing here.
        assert_eq!(budget.0.state().window.in_flight(), 2);
        budget.learn(&mut refused, StatusCode::TOO_MANY_REQUESTS, &HeaderMap::new(), Some(LONG));
        refused.report(true);
        failed.report(false);
        drop((refused, failed));
        while few.settled.lock().unwrap().len() < 2 {
            tokio::task::yield_now().await;
        }
        let mut settled = few.settled.lock().unwrap().clone();
        settled.sort_by_key(|(slot, _)| *slot);
        let failed = (0, Verdict { alive: Some(false), pause: None });
        assert_eq!(settled, [failed, (1, Verdict { alive: Some(true), pause: Some(LONG) })]);
    }
}
