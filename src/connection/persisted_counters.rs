//! Counters of a store that only this process works on: written down ahead, some requests at a time, so that
//! the next start knows what may have been sent, however this one ends.

use serde::{Deserialize, Serialize};

use super::counters::Counters;
use super::limit_store::CountersWrite;
use super::limiter::Limiter;
use super::monotonic_time::MonotonicTime;

/// How far what is written reaches.
#[derive(Debug, Default)]
pub(super) struct WrittenAhead {
    version: i64,
    /// Requests that may go before it has to be written again.
    left: u64,
}

/// Counters as they are kept.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Snapshot {
    pub(super) counters: Counters,
    /// Requests that may have been sent without being counted.
    #[serde(default)]
    reserved: u64,
    /// When it was written, by the clock of its times.
    #[serde(default)]
    at: MonotonicTime,
    /// The same by the wall clock, in microseconds since 1970.
    #[serde(default)]
    wall: i64,
    /// Who wrote it, where several do: two may well come to the same.
    #[serde(default)]
    writer: String,
}

impl Snapshot {
    /// Of counters that processes share, whose times are those of the store.
    pub(super) fn shared(counters: Counters, writer: &str) -> Self {
        Self { counters, writer: writer.to_owned(), ..Self::default() }
    }

    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Of a text; an empty one, or one that cannot be read, tells nothing.
    pub(super) fn read(text: &str) -> Self {
        if text.is_empty() {
            return Self::default();
        }
        serde_json::from_str(text).unwrap_or_else(|error| {
            tracing::warn!(%error, "what was counted of an account's requests cannot be read; it is counted anew");
            Self::default()
        })
    }
}

impl Limiter {
    /// Takes up what was kept, before the first request.
    pub(super) async fn load(&self) {
        let alone = self.store.as_ref().filter(|store| !store.is_shared());
        if let Some(store) = alone {
            let load = async {
                let Ok(kept) = store.read(&self.account).await else { return };
                let snapshot = Snapshot::read(&kept.text);
                let mut counters = snapshot.counters;
                let now = self.timeline.now();
                // Its times by the wall clock, and then by ours.
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

    /// Writes down that some more requests may be sent, where that is not written yet.
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

    /// Writes down what is counted, before the program ends.
    pub(super) async fn write_last(&self) {
        let known = self.loaded.initialized() && self.state().counters.is_limited();
        if known && !self.is_shared() {
            let _one = self.writing.lock().await;
            self.write(0).await;
        }
    }

    async fn write(&self, reserved: u64) {
        let Some(store) = &self.store else { return };
        let (seen, text) = {
            let mut state = self.state();
            let at = self.timeline.now();
            state.counters.tidy(at);
            let (counters, wall) = (state.counters.clone(), self.clock.now().timestamp_micros());
            (state.written.version, Snapshot { counters, reserved, at, wall, writer: String::new() }.text())
        };
        match store.write(&self.account, seen, &text).await {
            Ok(CountersWrite::Done { version, .. }) => {
                let mut state = self.state();
                state.written = WrittenAhead { version, left: reserved };
            }
            // Another process worked on the store before; it does not any more.
            Ok(CountersWrite::Conflict(kept)) => self.state().written.version = kept.version,
            Err(_) => {}
        }
    }
}
