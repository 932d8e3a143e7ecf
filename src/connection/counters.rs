//! The counters of one account: the daily one, and a burst window per credential or app. Pure; serializable.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::daily_limit::Day;
use super::limit_headers::End;
use super::monotonic_time::MonotonicTime;
use super::rate::BudgetSettings;
use super::sliding_window::{Refusal, Window};
use crate::event::Priority;

/// Most requests of a day written ahead, and the fraction of the remaining ones.
const BLOCK: u64 = 100;

/// The known state of an account's counters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counters {
    day: Day,
    windows: BTreeMap<String, Window>,
}

/// The right to send one request from `start` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grant {
    /// Its slot; 0 if nothing is counted.
    pub(super) slot: u64,
    pub(super) start: MonotonicTime,
}

impl Counters {
    /// Adds the window `name` if it is new; the lower of two rates applies.
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

    /// Whether the window `name` exists.
    pub(super) fn has_window(&self, name: &str) -> bool {
        self.windows.contains_key(name)
    }

    /// Takes a slot for a request at `now` or within `horizon`. Its process counts as dead if it does not renew the
    /// slot by `until`.
    pub(super) fn take(
        &mut self,
        name: &str,
        priority: Priority,
        now: MonotonicTime,
        horizon: Duration,
        until: Option<MonotonicTime>,
    ) -> Result<Grant, Refusal> {
        self.drop_expired(now);
        let Self { day, windows } = self;
        let window = windows.entry(name.to_owned()).or_default();
        let is_urgent = priority == Priority::Webhook;
        let start = window.check(is_urgent, now, horizon)?;
        if let Some(wait) = day.wait(is_urgent, now) {
            return Err(Refusal::Wait(wait));
        }
        if !window.counts() && day.limit.is_none() {
            return Ok(Grant { slot: 0, start });
        }
        day.take(now);
        Ok(Grant { slot: window.take(is_urgent, start, now, until), start })
    }

    /// Ends the request with `slot`, at `at` at the latest; the current time is at least `now`.
    pub(super) fn end(&mut self, name: &str, slot: u64, end: &End, at: MonotonicTime, now: MonotonicTime) {
        self.drop_expired(now);
        let window = self.windows.entry(name.to_owned()).or_default();
        let sent = window.end(slot, end, at);
        if sent.is_none() {
            // It was not counted, or has been released.
            self.day.take(now);
        }
        self.day.end(sent.unwrap_or(now), end.told, end.unused || (sent.is_none() && slot > 0), at);
    }

    /// Whether the next answer will decide who may send.
    pub(super) fn awaits_answer(&self) -> bool {
        self.day.is_short() || self.windows.values().any(Window::awaits_answer)
    }

    /// Drops expired state.
    pub(super) fn drop_expired(&mut self, now: MonotonicTime) {
        for window in self.windows.values_mut() {
            let lost = window.drop_expired(now);
            self.day.count_as_sent(lost);
        }
        let empty = self.day.is_short();
        if self.day.drop_expired(now) && empty {
            self.windows.values_mut().for_each(Window::probe_first);
        }
    }

    /// Renews those of the `slots` of a window that are in flight.
    pub(super) fn extend(&mut self, name: &str, slots: &dyn Fn(u64) -> bool, until: MonotonicTime) {
        if let Some(window) = self.windows.get_mut(name) {
            window.extend(slots, until);
        }
    }

    /// How many requests may be written ahead.
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

    /// Restores after a restart; `reserved` requests may have been sent without being counted.
    pub(super) fn restore(&mut self, reserved: u64, now: MonotonicTime) {
        self.drop_expired(now);
        self.clamp_times(now);
        self.day.restore(reserved);
        // Their windows are unknown.
        self.windows.values_mut().for_each(|window| window.restore(reserved, now));
    }

    /// Limits all times to plausible ones.
    pub(super) fn clamp_times(&mut self, now: MonotonicTime) {
        self.day.clamp_times(now);
        self.windows.values_mut().for_each(|window| window.clamp_times(now));
    }

    /// Shifts all times by a number of microseconds.
    pub(super) fn shift(&mut self, by: i64) {
        self.day.shift(by);
        self.windows.values_mut().for_each(|window| window.shift(by));
    }

    /// The shortest interval of a window.
    pub(super) fn shortest(&self) -> Option<Duration> {
        self.windows.values().filter_map(|window| Some(window.rate()?.per)).min()
    }

    /// The daily counter.
    pub(super) fn day(&self) -> &Day {
        &self.day
    }

    /// The known limits of the window `name` and of the day.
    pub(super) fn settings(&self, name: &str) -> BudgetSettings {
        let burst = self.windows.get(name).and_then(Window::rate);
        BudgetSettings { burst, daily: self.day.limit }
    }

    #[cfg(test)]
    pub(super) fn in_flight(&self, name: &str) -> usize {
        self.windows.get(name).map_or(0, Window::in_flight)
    }
}
