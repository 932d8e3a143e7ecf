//! Counters that processes share: one task per process writes what it has sent and what it wants to send,
//! for all waiting requests in one write; while requests only wait, it reads now and then.

use std::sync::Arc;
use std::time::Duration;

use super::counter_snapshot::Snapshot;
use super::counters::{Counters, Grant};
use super::limit_headers::End;
use super::limit_store::{CountersWrite, LimitStore, StoreUnavailable, StoredCounters};
use super::limiter::{Limiter, RECENT, Refused, State};
use super::monotonic_time::MonotonicTime;
use super::sliding_window::Refusal;

/// A process without a heartbeat for so long is dead; its requests are released.
const PROCESS_TIMEOUT: Duration = Duration::from_secs(30);
/// Interval of heartbeats of a process with requests under way.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// Shortest and longest time between two writes that can wait, where no interval is shorter.
const PACE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(250));
/// Pause after the store did not answer: what may be sent is not known then.
const STORE_RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// Longest wait between two attempts to write what others write at the same time.
const MAX_CONFLICT_PAUSE: Duration = Duration::from_millis(20);
/// Longest wait for the last write before the program ends.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(300);

/// Counters as they are to be, and what that gives.
struct Proposal {
    next: Counters,
    version: i64,
    /// So many ends are in it.
    ends: usize,
    granted: Vec<(String, Grant)>,
    refused: Vec<(String, Refusal)>,
    now: MonotonicTime,
    is_new: bool,
}

impl Limiter {
    /// Starts the task that agrees with the other processes, if it is not running and there is something to agree on.
    pub(super) fn ensure_agreeing(self: &Arc<Self>, state: &mut State) {
        if state.shared.is_agreeing {
            self.wake.notify_one();
            return;
        }
        // Without a runtime the process is about to end; what it had becomes free by itself then.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            state.shared.is_agreeing = true;
            runtime.spawn(Arc::clone(self).keep_agreeing());
        }
    }

    /// Waits briefly until the outcomes of our requests are written for the others.
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

    /// When there is something to agree on, by [`Clock::elapsed`]; `None`: nothing that we know of.
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
                    self.timeline.hear(MonotonicTime::of_micros(now), self.since(asked));
                    self.accept(proposal, Some(version));
                    return Ok(());
                }
                // It was ours, and its answer got lost.
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

    /// How much time has passed since `then`, by the clock's count.
    fn since(&self, then: Duration) -> Duration {
        self.clock.elapsed().saturating_sub(then)
    }

    /// Up to `most`, as the clock's last digits have it, which differ between processes.
    fn some_time(&self, most: Duration) -> Duration {
        most.mul_f64(f64::from(u32::try_from(self.timeline.now().micros() % 1000).unwrap_or(0)) / 1000.0)
    }

    async fn read(&self, store: &dyn LimitStore) -> Result<(), StoreUnavailable> {
        let asked = self.clock.elapsed();
        let kept = store.read(&self.account).await?;
        self.adopt(kept, self.since(asked));
        Ok(())
    }

    /// Takes over what is in the store, which answered after at most so long.
    fn adopt(&self, kept: StoredCounters, took: Duration) {
        self.timeline.hear(MonotonicTime::of_micros(kept.now), took);
        let now = self.timeline.latest();
        let mut counters = Snapshot::read(&kept.text).counters;
        counters.bound(now);
        let mut state = self.state();
        // What the connections here know of their limits holds where nothing was learned yet.
        for (window, settings) in &state.windows {
            if !counters.has_window(window) {
                counters.admit_window(window, *settings);
            }
        }
        state.counters = counters;
        state.shared.version = kept.version;
        state.shared.seen = Some(self.clock.elapsed());
    }

    /// What the counters are to be after what has become of our requests, and with what we want to send;
    /// with `sign`, they are to show that we are there.
    fn propose(&self, sign: bool) -> Proposal {
        let state = self.state();
        let now = self.timeline.now();
        let mut before = state.counters.clone();
        before.tidy(now);
        let mut next = state.counters.clone();
        for (window, slot, end, at) in &state.shared.ends {
            next.end(window, *slot, end, *at, now);
        }
        next.tidy(now);
        let (mut granted, mut refused) = (Vec::new(), Vec::new());
        let (until, horizon) = (now.after(PROCESS_TIMEOUT), pace(&state));
        for (window, queue) in &state.queues {
            let known = state.shared.granted.get(window).map_or(0, |granted| granted.len());
            for _ in known..queue.len() {
                match next.take(window, now, horizon, Some(until)) {
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

    /// It is so, in a new `version` if it was written.
    fn accept(&self, proposal: Proposal, version: Option<i64>) {
        let mut state = self.state();
        if let Some(version) = version {
            state.counters = proposal.next;
            state.shared.version = version;
            state.shared.seen = Some(self.clock.elapsed());
        }
        // What was not written has changed nothing.
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
        self.give_back(&mut state);
        drop(state);
        self.tell();
    }

    /// Those who waited may have given up meanwhile.
    fn give_back(&self, state: &mut State) {
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

    /// The store does not answer.
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
        self.tell();
    }
}

/// How long what can wait waits for more to write.
fn pace(state: &State) -> Duration {
    state.counters.shortest().map_or(PACE.1, |per| (per / 4).clamp(PACE.0, PACE.1))
}
