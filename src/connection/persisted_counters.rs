//! Counters in a store that only this process uses: written ahead in blocks of requests, so that after a crash the
//! next start knows how many may have been sent.

use super::counter_snapshot::{Snapshot, WrittenAhead};
use super::limit_store::CountersWrite;
use super::limiter::{Limiter, State};

impl Limiter {
    /// Loads the stored counters before the first request.
    pub(super) async fn load(&self) {
        let alone = self.store.as_ref().filter(|store| !store.is_shared());
        if let Some(store) = alone {
            let load = async {
                let Ok(kept) = store.read(&self.account).await else { return };
                let snapshot = Snapshot::read(&kept.text);
                let mut counters = snapshot.counters;
                let now = self.timeline.now();
                // Converts its times to the wall clock and then to ours.
                counters.shift(snapshot.wall.saturating_sub(snapshot.at.micros()));
                counters.shift(now.micros().saturating_sub(self.clock.now().timestamp_micros()));
                counters.restore(snapshot.reserved, now);
                let mut state = self.state();
                for (window, settings) in &state.windows {
                    counters.admit_window(window, *settings);
                }
                state.counters = counters;
                state.written.version = kept.version;
            };
            self.loaded.get_or_init(|| load).await;
        }
    }

    /// Reserves more requests in the store, if the reserved ones are used up.
    pub(super) async fn write_ahead(&self) {
        if self.store.is_none() || self.is_shared() {
            return;
        }
        let _one = self.writing.lock().await;
        let block = {
            let mut state = self.state();
            if !state.counters.is_limited() {
                return;
            }
            if state.written.left > 0 {
                state.written.left -= 1;
                return;
            }
            state.counters.block()
        };
        self.write(block).await;
    }

    /// Stores the counters before the program ends.
    pub(super) async fn write_last(&self) {
        let known = self.loaded.initialized() && self.state().counters.is_limited();
        if known && !self.is_shared() {
            let _one = self.writing.lock().await;
            self.write(0).await;
        }
    }

    /// The counters, if nobody else counts and this process has begun to: what it has written is older, and counts
    /// requests that it may not send.
    pub(super) fn own_counters(&self) -> Option<Snapshot> {
        let counts = match &self.store {
            Some(store) => !store.is_shared() && self.loaded.initialized(),
            None => true,
        };
        counts.then(|| self.snapshot(&mut self.state(), 0))
    }

    fn snapshot(&self, state: &mut State, reserved: u64) -> Snapshot {
        let at = self.timeline.now();
        state.counters.drop_expired(at);
        let (counters, wall) = (state.counters.clone(), self.clock.now().timestamp_micros());
        Snapshot { counters, reserved, at, wall, writer: String::new() }
    }

    async fn write(&self, reserved: u64) {
        let Some(store) = &self.store else { return };
        let (seen, text) = {
            let mut state = self.state();
            (state.written.version, self.snapshot(&mut state, reserved).text())
        };
        match store.write(&self.account, seen, &text).await {
            Ok(CountersWrite::Done { version, .. }) => {
                let mut state = self.state();
                state.written = WrittenAhead { version, left: reserved };
            }
            // Written by another process that has since ended.
            Ok(CountersWrite::Conflict(kept)) => self.state().written.version = kept.version,
            Err(_) => {}
        }
    }
}
