//! Counters shared by several processes. One task per process writes ended and wanted requests of all waiters in one
//! write; while requests only wait, it polls.

use std::sync::Arc;
use std::time::Duration;

use super::counter_snapshot::Snapshot;
use super::counters::{Counters, Grant};
use super::limit_headers::End;
use super::limit_store::{CountersWrite, LimitStore, StoreUnavailable, StoredCounters};
use super::limiter::{Limiter, RECENT, Refused, State};
use super::monotonic_time::MonotonicTime;
use super::sliding_window::Refusal;

/// A process without a heartbeat for this long counts as dead, and its slots are released.
const PROCESS_TIMEOUT: Duration = Duration::from_secs(30);
/// Heartbeat interval of a process with requests in flight.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// Shortest and longest delay of a write that can wait, unless an interval is shorter.
const PACE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(250));
/// Pause while the store is unreachable: it is unknown what may be sent.
const STORE_RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// Longest pause after a conflicting write.
const MAX_CONFLICT_PAUSE: Duration = Duration::from_millis(20);
/// Longest wait for the last write before the program ends.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(300);

/// New counters, and the resulting grants.
struct Proposal {
    next: Counters,
    version: i64,
    /// The number of ends included.
    ends: usize,
    granted: Vec<(String, Grant)>,
    refused: Vec<(String, Refusal)>,
    now: MonotonicTime,
    is_new: bool,
}

impl Limiter {
    /// Starts the synchronising task if it is needed and not running.
    pub(super) fn ensure_agreeing(self: &Arc<Self>, state: &mut State) {
        if state.shared.is_agreeing {
            self.wake.notify_one();
            return;
        }
        // Without a runtime the process is about to end, and its slots time out.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            state.shared.is_agreeing = true;
            runtime.spawn(Arc::clone(self).keep_agreeing());
        }
    }

    /// Waits briefly until the ends of our requests are written.
    pub(super) async fn flush_ends(&self) {
        let said = async {
            while !self.state().shared.ends.is_empty() {
                self.wake.notify_one();
                tokio::time::sleep(PACE.0).await;
            }
        };
        tokio::time::timeout(FLUSH_TIMEOUT, said).await.ok();
    }

    async fn keep_agreeing(self: Arc<Self>) {
        let Some(store) = self.store.clone() else { return };
        let mut last = None;
        loop {
            let due = {
                let mut state = self.state();
                match self.due(&state, last) {
                    Some(due) => due,
                    None => {
                        state.shared.is_agreeing = false;
                        return;
                    }
                }
            };
            let now = self.clock.elapsed();
            if due > now {
                tokio::select! {
                    () = tokio::time::sleep(due - now) => {}
                    () = self.wake.notified() => {}
                }
                continue;
            }
            if self.exchange(store.as_ref(), last).await.is_err() {
                self.refuse_all();
            }
            last = Some(self.clock.elapsed());
        }
    }

    /// When the next synchronisation is due, by [`Clock::elapsed`]; `None` if none is.
    ///
    /// [`Clock::elapsed`]: crate::clock::Clock::elapsed
    fn due(&self, state: &State, last: Option<Duration>) -> Option<Duration> {
        let (now, pace) = (self.clock.elapsed(), pace(state));
        let earliest = last.map_or(now, |last| last + pace);
        let shared = &state.shared;
        let mut due = None;
        let mut at = |when: Duration| due = Some(due.map_or(when, |due: Duration| due.min(when)));
        if !shared.ends.is_empty() {
            let urgent = |end: &End| end.refused.is_some() || end.alive == Some(false);
            let is_urgent = shared.ends.iter().any(|(_, _, end, _)| urgent(end));
            let is_awaited = !state.queues.is_empty() && state.counters.awaits_answer();
            at(if is_urgent || is_awaited { now } else { earliest });
        }
        for (window, queue) in &state.queues {
            let granted = shared.granted.get(window).map_or(0, |granted| granted.len());
            if queue.len() <= granted {
                continue;
            }
            at(match shared.refused.get(window) {
                None => now,
                Some(refused) => {
                    let wait = self.timeline.now().until(refused.until()).min(RECENT);
                    (now + wait.saturating_sub(pace)).max(earliest)
                }
            });
        }
        if !shared.own.is_empty() {
            at(last.map_or(now, |last| last + HEARTBEAT));
        }
        due
    }

    async fn exchange(
        self: &Arc<Self>,
        store: &dyn LimitStore,
        last: Option<Duration>,
    ) -> Result<(), StoreUnavailable> {
        let sign = last.is_none_or(|last| self.since(last) >= HEARTBEAT);
        if self.state().shared.seen.is_none() {
            self.read(store).await?;
        }
        loop {
            let mut proposal = self.propose(sign);
            let is_recent = self.state().shared.seen.is_some_and(|seen| self.since(seen) < RECENT);
            if !proposal.is_new && !is_recent {
                self.read(store).await?;
                proposal = self.propose(sign);
            }
            if !proposal.is_new {
                self.accept(proposal, None);
                return Ok(());
            }
            let text = Snapshot::shared(proposal.next.clone(), &self.writer).text();
            let asked = self.clock.elapsed();
            match store.write(&self.account, proposal.version, &text).await? {
                CountersWrite::Done { version, now } => {
                    self.timeline.set_from_store(MonotonicTime::from_micros(now), self.since(asked));
                    self.accept(proposal, Some(version));
                    return Ok(());
                }
                // It was our write, and its answer was lost.
                CountersWrite::Conflict(kept) if kept.text == text => {
                    self.accept(proposal, Some(kept.version));
                    return Ok(());
                }
                CountersWrite::Conflict(kept) => {
                    self.adopt(kept, self.since(asked));
                    tokio::time::sleep(self.some_time(MAX_CONFLICT_PAUSE)).await;
                }
            }
        }
    }

    /// The time elapsed since `then`.
    fn since(&self, then: Duration) -> Duration {
        self.clock.elapsed().saturating_sub(then)
    }

    /// A pseudo-random duration up to `most`, from the low digits of the clock.
    fn some_time(&self, most: Duration) -> Duration {
        most.mul_f64(f64::from(u32::try_from(self.timeline.now().micros() % 1000).unwrap_or(0)) / 1000.0)
    }

    async fn read(&self, store: &dyn LimitStore) -> Result<(), StoreUnavailable> {
        let asked = self.clock.elapsed();
        let kept = store.read(&self.account).await?;
        self.adopt(kept, self.since(asked));
        Ok(())
    }

    /// Adopts the stored counters, from an answer that is at most `took` old.
    fn adopt(&self, kept: StoredCounters, took: Duration) {
        self.timeline.set_from_store(MonotonicTime::from_micros(kept.now), took);
        let now = self.timeline.latest();
        let mut counters = Snapshot::read(&kept.text).counters;
        counters.clamp_times(now);
        let mut state = self.state();
        // The connections' configured limits apply where nothing was learned yet.
        for (window, settings) in &state.windows {
            if !counters.has_window(window) {
                counters.admit_window(window, *settings);
            }
        }
        state.counters = counters;
        state.shared.version = kept.version;
        state.shared.seen = Some(self.clock.elapsed());
    }

    /// Proposes new counters: with the ends of our requests, and with slots for waiting ones; with `sign` also with a
    /// heartbeat.
    fn propose(&self, sign: bool) -> Proposal {
        let state = self.state();
        let now = self.timeline.now();
        let mut before = state.counters.clone();
        before.drop_expired(now);
        let mut next = state.counters.clone();
        for (window, slot, end, at) in &state.shared.ends {
            next.end(window, *slot, end, *at, now);
        }
        next.drop_expired(now);
        let (mut granted, mut refused) = (Vec::new(), Vec::new());
        let (until, horizon) = (now.after(PROCESS_TIMEOUT), pace(&state));
        for (window, queue) in &state.queues {
            let known = state.shared.granted.get(window).map_or(0, |granted| granted.len());
            let mut order = queue.clone();
            let in_turn = std::iter::from_fn(|| order.next().inspect(|place| order.serve(place)));
            for (priority, _) in in_turn.skip(known) {
                match next.take(window, priority, now, horizon, Some(until)) {
                    Ok(grant) => granted.push((window.clone(), grant)),
                    Err(refusal) => {
                        refused.push((window.clone(), refusal));
                        break;
                    }
                }
            }
        }
        let is_new = next != before || (sign && !state.shared.own.is_empty());
        for window in state.windows.keys() {
            next.extend(window, &|slot| state.shared.own.contains(&(window.clone(), slot)), until);
        }
        let (version, ends) = (state.shared.version, state.shared.ends.len());
        Proposal { next, version, ends, granted, refused, now, is_new }
    }

    /// Applies a proposal; `version` is set if it was written.
    fn accept(&self, proposal: Proposal, version: Option<i64>) {
        let mut state = self.state();
        if let Some(version) = version {
            state.counters = proposal.next;
            state.shared.version = version;
            state.shared.seen = Some(self.clock.elapsed());
        }
        // Unwritten proposals have changed nothing.
        state.shared.ends.drain(..proposal.ends);
        state.shared.refused.clear();
        for (window, refusal) in proposal.refused {
            state.shared.refused.insert(window, Refused { refusal, since: proposal.now });
        }
        for (window, grant) in proposal.granted {
            if grant.slot > 0 {
                state.shared.own.insert((window.clone(), grant.slot));
            }
            state.shared.granted.entry(window).or_default().push_back(grant);
        }
        self.return_unused(&mut state);
        drop(state);
        self.notify();
    }

    /// Returns grants whose waiters have given up.
    fn return_unused(&self, state: &mut State) {
        let State { queues, shared, .. } = state;
        let now = self.timeline.latest();
        let unused = End { unused: true, ..End::default() };
        for (window, granted) in &mut shared.granted {
            while granted.len() > queues.get(window).map_or(0, |queue| queue.len()) {
                let Some(grant) = granted.pop_back() else { break };
                shared.own.remove(&(window.clone(), grant.slot));
                shared.ends.push((window.clone(), grant.slot, unused, now));
            }
        }
    }

    /// Refuses everything because the store is unreachable.
    fn refuse_all(&self) {
        let mut state = self.state();
        let since = self.timeline.now();
        let windows: Vec<String> = state.queues.keys().cloned().collect();
        for window in windows {
            state
                .shared
                .refused
                .insert(window, Refused { refusal: Refusal::Wait(STORE_RETRY_INTERVAL), since });
        }
        drop(state);
        self.notify();
    }
}

/// How long a write that can wait is delayed to include more.
fn pace(state: &State) -> Duration {
    state.counters.shortest().map_or(PACE.1, |per| (per / 4).clamp(PACE.0, PACE.1))
}
