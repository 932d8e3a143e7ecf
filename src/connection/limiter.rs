//! The queue in front of an account's counters, shared by all its connections.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OnceCell};
use uuid::Uuid;

use super::counter_snapshot::WrittenAhead;
use super::counters::{Counters, Grant};
use super::limit_headers::End;
use super::limit_store::LimitStore;
use super::monotonic_time::{MonotonicTime, Timeline};
use super::rate::BudgetSettings;
use super::sliding_window::Refusal;
use super::waiting::{Place as Key, Waiting};
use crate::clock::Clock;
use crate::event::Priority;

/// How long a view of shared counters stays valid.
pub(super) const RECENT: Duration = Duration::from_secs(1);

/// Issues permits within an account's limits.
#[derive(Debug)]
pub(super) struct Limiter {
    pub(super) account: String,
    /// The name of this process among those that share the counters.
    pub(super) writer: String,
    pub(super) timeline: Timeline,
    pub(super) clock: Clock,
    /// Where the counters are stored, if anywhere.
    pub(super) store: Option<Arc<dyn LimitStore>>,
    /// Wakes the task that synchronises with other processes.
    pub(super) wake: Notify,
    pub(super) loaded: OnceCell<()>,
    /// Held while own counters are written.
    pub(super) writing: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    changed: Notify,
}

/// The mutable state.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The configured limits of the connections, by window.
    pub(super) windows: BTreeMap<String, BudgetSettings>,
    /// The counters; if shared, as last seen in the store.
    pub(super) counters: Counters,
    /// The waiting requests by window.
    pub(super) queues: BTreeMap<String, Waiting>,
    tickets: u64,
    pub(super) written: WrittenAhead,
    /// The state of synchronisation with the store.
    pub(super) shared: Shared,
}

/// A process's share of counters in a store.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// The stored version.
    pub(super) version: i64,
    /// When it was last seen, by [`Clock::elapsed`]; `None` if never.
    pub(super) seen: Option<Duration>,
    /// Grants of this process that no waiter has taken yet.
    pub(super) granted: BTreeMap<String, VecDeque<Grant>>,
    /// Why no grants are given, by window.
    pub(super) refused: BTreeMap<String, Refused>,
    /// Ended requests and their times, in order, not yet written to the store.
    pub(super) ends: Vec<(String, u64, End, MonotonicTime)>,
    /// Slots of requests in flight.
    pub(super) own: BTreeSet<(String, u64)>,
    /// Whether the synchronising task is running.
    pub(super) is_agreeing: bool,
}

/// Why no grants are given, as currently known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refused {
    pub(super) refusal: Refusal,
    /// When that was determined.
    pub(super) since: MonotonicTime,
}

impl Refused {
    /// Other processes may have changed it later.
    fn is_valid(&self, now: MonotonicTime) -> bool {
        self.since.after(RECENT) > now && self.until() > now
    }

    pub(super) fn until(&self) -> MonotonicTime {
        match self.refusal {
            Refusal::Wait(wait) | Refusal::BreakerOpen(wait) => self.since.after(wait),
        }
    }

    fn at(&self, now: MonotonicTime) -> Refusal {
        let rest = now.until(self.until());
        match self.refusal {
            Refusal::Wait(_) => Refusal::Wait(rest),
            Refusal::BreakerOpen(_) => Refusal::BreakerOpen(rest),
        }
    }
}

/// The budget stays empty for longer than the caller waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted {
    /// How long it stays empty.
    pub wait: Duration,
    /// The circuit breaker is open, because of failures seen by another process.
    pub breaker_open: bool,
}

/// A place in the queue, given up when the wait is cancelled.
struct Place<'a> {
    limiter: &'a Arc<Limiter>,
    window: &'a str,
    key: Key,
    was_served: bool,
}

enum Turn {
    Taken(Grant),
    Refused(Refusal),
    /// Another request is first, or the store is being queried.
    Later,
}

impl Limiter {
    pub(super) fn new(account: String, clock: Clock, store: Option<Arc<dyn LimitStore>>) -> Arc<Self> {
        Arc::new(Self {
            account,
            writer: Uuid::now_v7().simple().to_string(),
            timeline: Timeline::new(&clock),
            clock,
            store,
            wake: Notify::new(),
            loaded: OnceCell::new(),
            writing: tokio::sync::Mutex::default(),
            state: Mutex::default(),
            changed: Notify::new(),
        })
    }

    /// Adds the window `name`.
    pub(super) fn admit_window(&self, name: &str, settings: BudgetSettings) {
        let mut state = self.state();
        state.windows.entry(name.to_owned()).or_insert(settings);
        state.counters.admit_window(name, settings);
    }

    /// Waits for a permit: mostly higher priorities first, then first come, first served.
    pub(super) async fn acquire(
        self: &Arc<Self>,
        window: &str,
        priority: Priority,
        max_wait: Duration,
    ) -> Result<Permit, Exhausted> {
        self.load().await;
        let begun = self.clock.elapsed();
        let mut place = self.enqueue(window, priority);
        let grant = loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Registered before checking, so that no change is missed.
            changed.as_mut().enable();
            let (wait, breaker_open) = match self.try_take(window, place.key) {
                Turn::Taken(grant) => break grant,
                Turn::Refused(Refusal::Wait(wait)) => (wait, false),
                Turn::Refused(Refusal::BreakerOpen(wait)) => (wait, true),
                Turn::Later => {
                    changed.await;
                    continue;
                }
            };
            if breaker_open || self.clock.elapsed().saturating_sub(begun) + wait > max_wait {
                return Err(Exhausted { wait, breaker_open });
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = changed => {}
            }
        };
        // A caller that gives up from here on has sent nothing.
        let mut permit = Permit::unused(self, window, grant);
        place.was_served = true;
        drop(place);
        // Written before anything is sent, so that the next start knows of it.
        self.write_ahead().await;
        tokio::time::sleep(self.timeline.now().until(grant.start)).await;
        permit.outcome.unused = false;
        Ok(permit)
    }

    /// A permit, if one is available at once.
    pub(super) async fn try_acquire(self: &Arc<Self>, window: &str, priority: Priority) -> Option<Permit> {
        if self.state().queues.get(window).is_some_and(|queue| !queue.is_empty()) {
            return None;
        }
        self.acquire(window, priority, Duration::ZERO).await.ok()
    }

    fn enqueue<'a>(self: &'a Arc<Self>, window: &'a str, priority: Priority) -> Place<'a> {
        let mut state = self.state();
        state.tickets += 1;
        let key = (priority, state.tickets);
        state.queues.entry(window.to_owned()).or_default().insert(key);
        Place { limiter: self, window, key, was_served: false }
    }

    fn try_take(self: &Arc<Self>, window: &str, key: Key) -> Turn {
        let mut state = self.state();
        if state.queues.get(window).and_then(Waiting::next) != Some(key) {
            return Turn::Later;
        }
        let now = self.timeline.now();
        if self.is_shared() {
            if let Some(grant) = state.shared.granted.get_mut(window).and_then(VecDeque::pop_front) {
                return Turn::Taken(grant);
            }
            let known = state.shared.refused.get(window).filter(|refused| refused.is_valid(now));
            let turn = known.map_or(Turn::Later, |refused| Turn::Refused(refused.at(now)));
            self.ensure_agreeing(&mut state);
            return turn;
        }
        match state.counters.take(window, key.0, now, Duration::ZERO, None) {
            Ok(grant) => Turn::Taken(grant),
            Err(refusal) => Turn::Refused(refusal),
        }
    }

    /// Ends the request with `slot`.
    fn end(self: &Arc<Self>, window: &str, slot: u64, end: &End) {
        let mut state = self.state();
        let now = self.timeline.latest();
        if self.is_shared() {
            state.shared.own.remove(&(window.to_owned(), slot));
            state.shared.ends.push((window.to_owned(), slot, *end, now));
            self.ensure_agreeing(&mut state);
        } else {
            state.counters.end(window, slot, end, now, now);
        }
        drop(state);
        self.notify();
    }

    /// Whether little is left of the day.
    pub(super) fn is_scarce(&self) -> bool {
        self.state().counters.day().is_scarce(self.timeline.latest())
    }

    /// Whether other processes use the same counters.
    pub(super) fn is_shared(&self) -> bool {
        self.store.as_ref().is_some_and(|store| store.is_shared())
    }

    /// Notifies waiters of a change.
    pub(super) fn notify(&self) {
        self.changed.notify_waiters();
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.limiter.state();
        if let Some(queue) = state.queues.get_mut(self.window) {
            match self.was_served {
                true => queue.serve(&self.key),
                false => queue.remove(&self.key),
            }
            if queue.is_empty() {
                state.queues.remove(self.window);
                // Unused grants are returned.
                let unused = state.shared.granted.remove(self.window).unwrap_or_default();
                drop(state);
                let return_unused = |grant| drop(Permit::unused(self.limiter, self.window, grant));
                unused.into_iter().for_each(return_unused);
            }
        }
        self.limiter.notify();
    }
}

/// The right to send one request. Dropped when it is answered.
#[derive(Debug)]
pub struct Permit {
    limiter: Arc<Limiter>,
    window: String,
    slot: u64,
    pub(super) outcome: End,
}

impl Permit {
    fn unused(limiter: &Arc<Limiter>, window: &str, grant: Grant) -> Self {
        let outcome = End { unused: true, ..End::default() };
        Self { limiter: Arc::clone(limiter), window: window.to_owned(), slot: grant.slot, outcome }
    }

    /// Reports whether the account answered without a 5xx.
    pub fn report(&mut self, alive: bool) {
        if self.limiter.is_shared() {
            self.outcome.alive = Some(alive);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.limiter.end(&self.window, self.slot, &self.outcome);
    }
}
