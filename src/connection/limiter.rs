//! Who may send next: the queue in front of an account's counters, shared by all its connections.

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
use crate::clock::Clock;
use crate::event::Priority;

/// What was seen of shared counters counts for so long.
pub(super) const RECENT: Duration = Duration::from_secs(1);

/// Gives leave to send requests within an account's limits.
#[derive(Debug)]
pub(super) struct Limiter {
    pub(super) account: String,
    /// The name of this process among those that share the counters.
    pub(super) writer: String,
    pub(super) timeline: Timeline,
    pub(super) clock: Clock,
    /// Where the counters are kept beyond this process, if anywhere.
    pub(super) store: Option<Arc<dyn LimitStore>>,
    /// Interrupts the task that agrees with other processes.
    pub(super) wake: Notify,
    pub(super) loaded: OnceCell<()>,
    /// Held while counters of our own are written down.
    pub(super) writing: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    changed: Notify,
}

/// What changes.
#[derive(Debug, Default)]
pub(super) struct State {
    /// What the connections here know of their limits, by window.
    pub(super) windows: BTreeMap<String, BudgetSettings>,
    /// The counters; where they are shared, as they were in the store last.
    pub(super) counters: Counters,
    /// Who waits, by window, in the order in which they go.
    pub(super) queues: BTreeMap<String, BTreeSet<(Priority, u64)>>,
    tickets: u64,
    pub(super) written: WrittenAhead,
    /// What this process and the store have agreed on, and have to agree on.
    pub(super) shared: Shared,
}

/// The part of a process in counters that are shared.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Of the counters in the store.
    pub(super) version: i64,
    /// When those were seen, by [`Clock::elapsed`]; `None`: never.
    pub(super) seen: Option<Duration>,
    /// Given to this process and not taken by a waiter yet.
    pub(super) granted: BTreeMap<String, VecDeque<Grant>>,
    /// Why nothing is given, by window.
    pub(super) refused: BTreeMap<String, Refused>,
    /// What became of requests, in order, and when; not in the store yet.
    pub(super) ends: Vec<(String, u64, End, MonotonicTime)>,
    /// Slots of requests under way.
    pub(super) own: BTreeSet<(String, u64)>,
    /// A task agrees with the other processes.
    pub(super) is_agreeing: bool,
}

/// Why nothing is given, as far as is known for now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refused {
    pub(super) refusal: Refusal,
    /// When it was said.
    pub(super) since: MonotonicTime,
}

impl Refused {
    /// Others may have changed it later.
    fn is_valid(&self, now: MonotonicTime) -> bool {
        self.since.after(RECENT) > now && self.until() > now
    }

    pub(super) fn until(&self) -> MonotonicTime {
        match self.refusal {
            Refusal::Wait(wait) | Refusal::LeftAlone(wait) => self.since.after(wait),
        }
    }

    fn at(&self, now: MonotonicTime) -> Refusal {
        let rest = now.until(self.until());
        match self.refusal {
            Refusal::Wait(_) => Refusal::Wait(rest),
            Refusal::LeftAlone(_) => Refusal::LeftAlone(rest),
        }
    }
}

/// A budget that stays empty for longer than the caller waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted {
    /// How long it stays empty.
    pub wait: Duration,
    /// Another process found that the account keeps failing: it is left alone for so long.
    pub left_alone: bool,
}

/// A place in the queue, given up when the wait is cancelled.
struct Place<'a> {
    limiter: &'a Arc<Limiter>,
    window: &'a str,
    key: (Priority, u64),
}

enum Turn {
    Taken(Grant),
    Refused(Refusal),
    /// Another request is in front, or the store is being asked.
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

    /// Counts for a window of that name, too.
    pub(super) fn admit_window(&self, name: &str, settings: BudgetSettings) {
        let mut state = self.state();
        state.windows.entry(name.to_owned()).or_insert(settings);
        state.counters.admit_window(name, settings);
    }

    /// Waits for the right to send a request: higher priorities first, then first come first served.
    pub(super) async fn acquire(
        self: &Arc<Self>,
        window: &str,
        priority: Priority,
        max_wait: Duration,
    ) -> Result<Permit, Exhausted> {
        self.load().await;
        let begun = self.clock.elapsed();
        let place = self.enqueue(window, priority);
        let grant = loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Registered before looking, so that no change in between is missed.
            changed.as_mut().enable();
            let (wait, left_alone) = match self.try_take(window, place.key) {
                Turn::Taken(grant) => break grant,
                Turn::Refused(Refusal::Wait(wait)) => (wait, false),
                Turn::Refused(Refusal::LeftAlone(wait)) => (wait, true),
                Turn::Later => {
                    changed.await;
                    continue;
                }
            };
            if left_alone || self.clock.elapsed().saturating_sub(begun) + wait > max_wait {
                return Err(Exhausted { wait, left_alone });
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = changed => {}
            }
        };
        // A caller that gives up from here on has sent nothing.
        let mut permit = Permit::unused(self, window, grant);
        drop(place);
        // Before anything is sent that the next start would not know of.
        self.write_ahead().await;
        tokio::time::sleep(self.timeline.now().until(grant.start)).await;
        permit.outcome.unused = false;
        Ok(permit)
    }

    /// The permit to send a request, if none has to be waited for.
    pub(super) async fn try_acquire(self: &Arc<Self>, window: &str) -> Option<Permit> {
        if self.state().queues.get(window).is_some_and(|queue| !queue.is_empty()) {
            return None;
        }
        self.acquire(window, Priority::default(), Duration::ZERO).await.ok()
    }

    fn enqueue<'a>(self: &'a Arc<Self>, window: &'a str, priority: Priority) -> Place<'a> {
        let mut state = self.state();
        state.tickets += 1;
        let key = (priority, state.tickets);
        state.queues.entry(window.to_owned()).or_default().insert(key);
        Place { limiter: self, window, key }
    }

    fn try_take(self: &Arc<Self>, window: &str, key: (Priority, u64)) -> Turn {
        let mut state = self.state();
        if state.queues.get(window).and_then(BTreeSet::first) != Some(&key) {
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
        match state.counters.take(window, now, Duration::ZERO, None) {
            Ok(grant) => Turn::Taken(grant),
            Err(refusal) => Turn::Refused(refusal),
        }
    }

    /// The request that had `slot` is done.
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
        self.tell();
    }

    /// Other processes count with us.
    pub(super) fn is_shared(&self) -> bool {
        self.store.as_ref().is_some_and(|store| store.is_shared())
    }

    /// Something has changed for those who wait.
    pub(super) fn tell(&self) {
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
            queue.remove(&self.key);
            if queue.is_empty() {
                state.queues.remove(self.window);
                // What was to be theirs goes back.
                let unused = state.shared.granted.remove(self.window).unwrap_or_default();
                drop(state);
                let give_back = |grant| drop(Permit::unused(self.limiter, self.window, grant));
                unused.into_iter().for_each(give_back);
            }
        }
        self.limiter.tell();
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

    /// Whether the account answered the request, and not with a 5xx.
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
