//! The daily limit: what is left of a day's requests. Pure.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::limit_headers::{DAY, LimitHeaderValues};
use super::monotonic_time::MonotonicTime;

/// How long to wait at most for an answer that may tell that more is left.
const ANSWER: Duration = Duration::from_secs(1);

/// Requests of a day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Day {
    /// Requests a day, where that is limited and known.
    pub(super) limit: Option<u64>,
    /// Not used up by requests that were answered.
    left: u64,
    /// Sent and not answered: the server may have counted them or not.
    in_flight: u64,
    /// The day's budget is new at this time; unknown until a header or the first request tells.
    resets: Option<MonotonicTime>,
    /// When an answer told last what is left.
    told: Option<MonotonicTime>,
}

impl Day {
    pub(super) fn new(limit: Option<u64>) -> Self {
        Self { limit, left: limit.unwrap_or(0), ..Self::default() }
    }

    /// How long to wait for a request's share; `None`: there is one now.
    pub(super) fn wait(&self, now: MonotonicTime) -> Option<Duration> {
        self.limit?;
        if self.left == 0 {
            return Some(self.resets.map_or(DAY, |at| now.until(at)));
        }
        (self.left <= self.in_flight).then_some(ANSWER)
    }

    /// Requests that may go.
    pub(super) fn free(&self) -> u64 {
        match self.limit {
            Some(_) => self.left.saturating_sub(self.in_flight),
            None => u64::MAX,
        }
    }

    /// Nothing is left beside what is under way.
    pub(super) fn is_short(&self) -> bool {
        self.free() == 0
    }

    pub(super) fn take(&mut self, now: MonotonicTime) {
        self.in_flight += 1;
        if self.limit.is_some() {
            self.resets.get_or_insert(now.after(DAY));
        }
    }

    /// Whether the day has ended, and another one begins with an allowance of its own.
    pub(super) fn tidy(&mut self, now: MonotonicTime) -> bool {
        let over = self.resets.is_some_and(|at| at <= now);
        if over {
            self.left = self.limit.unwrap_or(0);
            self.resets = None;
            self.told = None;
        }
        over
    }

    /// A request that was `sent` is done; what its answer said, if there was one.
    pub(super) fn end(
        &mut self,
        sent: MonotonicTime,
        told: Option<LimitHeaderValues>,
        unused: bool,
        now: MonotonicTime,
    ) {
        self.in_flight = self.in_flight.saturating_sub(1);
        let told = told.unwrap_or_default();
        match told.daily_remaining {
            Some(left) => {
                // Where the limit is not told, it is at least that; and one request will find out.
                let limit = told.daily.or(self.limit).unwrap_or(1).max(left);
                // Answers overtake each other: one to a request that was under way when less was left
                // already tells of an earlier moment.
                let newer = self.limit.is_none() || self.told.is_none_or(|told| told <= sent);
                self.left = if newer { left } else { left.min(self.left) };
                self.limit = Some(limit);
                // Other processes may report earlier answers later.
                self.told = self.told.max(Some(now));
                if let Some(after) = told.daily_reset {
                    self.resets = Some(now.after(after.min(DAY)));
                }
                self.resets.get_or_insert(now.after(DAY));
            }
            None if !unused => self.left = self.left.saturating_sub(1),
            None => {}
        }
    }

    /// A request of a process that is gone: it counts as sent.
    pub(super) fn lose(&mut self, requests: u64) {
        self.in_flight = self.in_flight.saturating_sub(requests);
        self.left = self.left.saturating_sub(requests);
    }

    /// After a start of the program: what was under way, and what may have been sent of `reserved` requests,
    /// counts as sent.
    pub(super) fn restore(&mut self, reserved: u64) {
        self.left = self.left.saturating_sub(self.in_flight + reserved);
        self.in_flight = 0;
        self.told = None;
    }

    /// Nothing lies further ahead than it can.
    pub(super) fn bound(&mut self, now: MonotonicTime) {
        self.resets = self.resets.map(|at| at.min(now.after(DAY)));
        self.told = self.told.map(|at| at.min(now));
    }

    /// All times by a clock that is ahead by so many microseconds.
    pub(super) fn shift(&mut self, by: i64) {
        let shifted = |at: MonotonicTime| MonotonicTime::of_micros(at.micros().saturating_add(by));
        self.resets = self.resets.map(shifted);
        self.told = self.told.map(shifted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(seconds: u64) -> MonotonicTime {
        MonotonicTime::of_micros(0).after(SECOND * u32::try_from(seconds).unwrap())
    }

    fn told(left: u64) -> Option<LimitHeaderValues> {
        let reset = Some(3600 * SECOND);
        Some(LimitHeaderValues {
            daily_remaining: Some(left),
            daily: Some(60),
            daily_reset: reset,
            ..LimitHeaderValues::default()
        })
    }

    #[test]
    fn what_is_under_way_is_taken_off_what_a_header_says() {
        let mut day = Day::new(Some(60));
        for _ in 0..3 {
            day.take(at(0));
        }
        day.end(at(0), told(2), false, at(1));
        // Two are under way, and the server says that two are left.
        assert_eq!(day.wait(at(1)), Some(ANSWER));
        day.end(at(0), told(1), false, at(2));
        assert_eq!(day.free(), 0);
        day.end(at(0), told(2), false, at(3));
        assert_eq!(day.free(), 1, "an older answer does not raise it");
        day.take(at(4));
        day.end(at(4), told(0), false, at(5));
        assert_eq!(day.wait(at(5)), Some(3600 * SECOND));
        assert!(day.tidy(at(3605)));
        assert_eq!((day.free(), day.wait(at(3605))), (60, None));
    }

    #[test]
    fn answers_that_are_reported_late_raise_nothing() {
        let mut day = Day::new(Some(60));
        for _ in 0..3 {
            day.take(at(0));
        }
        day.end(at(8), told(0), false, at(9));
        // Another process had these two before.
        day.end(at(1), told(4), false, at(2));
        day.end(at(3), told(3), false, at(4));
        assert_eq!((day.free(), day.wait(at(10)).is_some()), (0, true));
    }

    #[test]
    fn a_day_without_headers_is_counted() {
        let mut day = Day::new(Some(2));
        day.take(at(0));
        day.take(at(0));
        assert_eq!(day.wait(at(0)), Some(ANSWER));
        day.end(at(0), None, true, at(1));
        assert_eq!(day.wait(at(1)), None, "what was not sent uses up nothing");
        day.take(at(1));
        day.end(at(0), None, false, at(1));
        day.end(at(1), None, false, at(1));
        assert_eq!(day.wait(at(1)), Some(DAY - SECOND));
        assert!(day.tidy(at(86_400)));
        assert_eq!(day.wait(at(86_400)), None);
    }

    #[test]
    fn what_may_have_been_sent_before_a_start_counts() {
        let mut day = Day::new(Some(10));
        day.take(at(0));
        day.restore(4);
        assert_eq!(day.free(), 5);
        day.lose(9);
        assert_eq!(day.wait(at(1)), Some(DAY - SECOND));
    }
}
