//! The counters that an API keeps of one account: the day's, and one of bursts for each credential or app.
//! Pure bookkeeping, which can be written down.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::daily_limit::Day;
use super::limit_headers::End;
use super::monotonic_time::MonotonicTime;
use super::rate::BudgetSettings;
use super::sliding_window::{Refusal, Window};

/// Requests of a day that are written down ahead at most, and the share of what is left.
const BLOCK: u64 = 100;

/// What is known of an account's counters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counters {
    day: Day,
    windows: BTreeMap<String, Window>,
}

/// The right to send one request, from `start` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grant {
    /// Its slot; 0 where nothing is counted.
    pub(super) slot: u64,
    pub(super) start: MonotonicTime,
}

impl Counters {
    /// Counts for a window of that name, too, if it is new; the lower of two rates holds.
    pub(super) fn admit_window(&mut self, name: &str, settings: BudgetSettings) {
        match self.windows.get_mut(name) {
            Some(window) => window.lower(settings.burst),
            None => {
                self.windows.insert(name.to_owned(), Window::new(settings.burst));
            }
        }
        if self.day.limit.is_none() && settings.daily.is_some() {
            self.day = Day::new(settings.daily);
        }
    }

    /// Whether a window of that name is counted.
    pub(super) fn has_window(&self, name: &str) -> bool {
        self.windows.contains_key(name)
    }

    /// Takes a share for a request that goes at `now`, or within `horizon` of it; if its process shows no
    /// sign of life until `until`, it is gone.
    pub(super) fn take(
        &mut self,
        name: &str,
        now: MonotonicTime,
        horizon: Duration,
        until: Option<MonotonicTime>,
    ) -> Result<Grant, Refusal> {
        self.tidy(now);
        let Self { day, windows } = self;
        let window = windows.entry(name.to_owned()).or_default();
        let start = window.check(now, horizon)?;
        if let Some(wait) = day.wait(now) {
            return Err(Refusal::Wait(wait));
        }
        if !window.counts() && day.limit.is_none() {
            return Ok(Grant { slot: 0, start });
        }
        day.take(now);
        Ok(Grant { slot: window.take(start, now, until), start })
    }

    /// The request that had `slot` was done at `at`, at the latest; it is `now`, at the earliest.
    pub(super) fn end(&mut self, name: &str, slot: u64, end: &End, at: MonotonicTime, now: MonotonicTime) {
        self.tidy(now);
        let window = self.windows.entry(name.to_owned()).or_default();
        let sent = window.end(slot, end, at);
        if sent.is_none() {
            // It was not counted, or not any more.
            self.day.take(now);
        }
        self.day.end(sent.unwrap_or(now), end.told, end.unused || (sent.is_none() && slot > 0), at);
    }

    /// Whether the next answer decides who may go.
    pub(super) fn awaits_answer(&self) -> bool {
        self.day.is_short() || self.windows.values().any(Window::awaits_answer)
    }

    /// Forgets what is past.
    pub(super) fn tidy(&mut self, now: MonotonicTime) {
        for window in self.windows.values_mut() {
            let lost = window.tidy(now);
            self.day.lose(lost);
        }
        let empty = self.day.is_short();
        if self.day.tidy(now) && empty {
            self.windows.values_mut().for_each(Window::doubt);
        }
    }

    /// Those of the `slots` of a window that are still under way belong to a process that lives.
    pub(super) fn extend(&mut self, name: &str, slots: &dyn Fn(u64) -> bool, until: MonotonicTime) {
        if let Some(window) = self.windows.get_mut(name) {
            window.extend(slots, until);
        }
    }

    /// How many requests may be written down ahead.
    pub(super) fn block(&self) -> u64 {
        let windows = self.windows.values().map(Window::block).min().unwrap_or(u64::MAX);
        let day = match self.day.limit {
            Some(_) => (self.day.free() / BLOCK).clamp(1, BLOCK),
            None => u64::MAX,
        };
        windows.min(day)
    }

    /// Whether anything is limited.
    pub(super) fn is_limited(&self) -> bool {
        self.day.limit.is_some() || self.windows.values().any(Window::counts)
    }

    /// After a start of the program. `reserved`: so many more requests may have been sent than were counted.
    pub(super) fn restore(&mut self, reserved: u64, now: MonotonicTime) {
        self.tidy(now);
        self.bound(now);
        self.day.restore(reserved);
        // Nobody knows in which window they were.
        self.windows.values_mut().for_each(|window| window.restore(reserved, now));
    }

    /// Nothing lies further ahead than it can.
    pub(super) fn bound(&mut self, now: MonotonicTime) {
        self.day.bound(now);
        self.windows.values_mut().for_each(|window| window.bound(now));
    }

    /// All times by a clock that is ahead by so many microseconds.
    pub(super) fn shift(&mut self, by: i64) {
        self.day.shift(by);
        self.windows.values_mut().for_each(|window| window.shift(by));
    }

    /// The shortest interval that is counted.
    pub(super) fn shortest(&self) -> Option<Duration> {
        self.windows.values().filter_map(|window| Some(window.rate()?.per)).min()
    }

    #[cfg(test)]
    pub(super) fn settings(&self, name: &str) -> BudgetSettings {
        let burst = self.windows.get(name).and_then(Window::rate);
        BudgetSettings { burst, daily: self.day.limit }
    }

    #[cfg(test)]
    pub(super) fn in_flight(&self, name: &str) -> usize {
        self.windows.get(name).map_or(0, Window::in_flight)
    }
}
