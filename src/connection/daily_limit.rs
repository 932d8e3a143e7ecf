//! The daily limit of requests. Pure.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::limit_headers::{DAY, LimitHeaderValues};
use super::monotonic_time::MonotonicTime;

/// Longest wait before checking again whether an answer has raised the number of remaining requests.
const RECHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Below this share of the day's requests little is left.
const SCARCE: f64 = 0.2;

/// This fraction of the day's requests is left to those that somebody waits for.
const RESERVE: u64 = 100;

/// How many of the `limit` requests of a day are kept for those that somebody waits for.
pub(super) fn reserve(limit: u64) -> u64 {
    limit / RESERVE
}

/// The requests of a day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Day {
    /// Requests per day, if limited and known.
    pub(super) limit: Option<u64>,
    /// Remaining according to answered requests.
    left: u64,
    /// Sent but not answered; the server may or may not have counted them.
    in_flight: u64,
    /// When the limit resets; unknown until a header or the first request shows it.
    resets: Option<MonotonicTime>,
    /// When an answer last stated the remaining requests.
    told: Option<MonotonicTime>,
}

impl Day {
    pub(super) fn new(limit: Option<u64>) -> Self {
        Self { limit, left: limit.unwrap_or(0), ..Self::default() }
    }

    /// How long to wait before sending a request; `None` if it may be sent now. Where somebody waits for it, it
    /// `is_urgent`.
    pub(super) fn wait(&self, is_urgent: bool, now: MonotonicTime) -> Option<Duration> {
        let limit = self.limit?;
        let reserve = if is_urgent { 0 } else { reserve(limit) };
        if self.left <= reserve {
            return Some(self.resets.map_or(DAY, |at| now.until(at)));
        }
        (self.left <= self.in_flight + reserve).then_some(RECHECK_INTERVAL)
    }

    /// Requests that may be sent.
    pub(super) fn free(&self) -> u64 {
        match self.limit {
            Some(_) => self.left.saturating_sub(self.in_flight),
            None => u64::MAX,
        }
    }

    /// Whether little is left: less than a fifth of the requests, and less than is left of the day.
    pub(super) fn is_scarce(&self, now: MonotonicTime) -> bool {
        let Some((limit, resets)) = self.limit.zip(self.resets) else { return false };
        let left = self.free() as f64 / limit.max(1) as f64;
        left < SCARCE && left < now.until(resets).as_secs_f64() / DAY.as_secs_f64()
    }

    /// When the limit resets, if known.
    pub(super) fn resets(&self) -> Option<MonotonicTime> {
        self.resets
    }

    /// Whether nothing remains besides the requests in flight.
    pub(super) fn is_short(&self) -> bool {
        self.free() == 0
    }

    pub(super) fn take(&mut self, now: MonotonicTime) {
        self.in_flight += 1;
        if self.limit.is_some() {
            self.resets.get_or_insert(now.after(DAY));
        }
    }

    /// Starts a new day if the current one has ended; returns whether it did.
    pub(super) fn drop_expired(&mut self, now: MonotonicTime) -> bool {
        let over = self.resets.is_some_and(|at| at <= now);
        if over {
            self.left = self.limit.unwrap_or(0);
            self.resets = None;
            self.told = None;
        }
        over
    }

    /// Ends a request that was `sent`, with what its answer stated.
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
                // Without a known limit, at least this many are possible; a request will show.
                let limit = told.daily.or(self.limit).unwrap_or(1).max(left);
                // Answers can arrive out of order: one to a request sent before the last statement is older.
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

    /// Counts requests of a dead process as sent.
    pub(super) fn count_as_sent(&mut self, requests: u64) {
        self.in_flight = self.in_flight.saturating_sub(requests);
        self.left = self.left.saturating_sub(requests);
    }

    /// Restores after a restart: requests in flight and `reserved` ones count as sent.
    pub(super) fn restore(&mut self, reserved: u64) {
        self.left = self.left.saturating_sub(self.in_flight + reserved);
        self.in_flight = 0;
        self.told = None;
    }

    /// Limits all times to plausible ones.
    pub(super) fn clamp_times(&mut self, now: MonotonicTime) {
        self.resets = self.resets.map(|at| at.min(now.after(DAY)));
        self.told = self.told.map(|at| at.min(now));
    }

    /// Shifts all times by a number of microseconds.
    pub(super) fn shift(&mut self, by: i64) {
        let shifted = |at: MonotonicTime| MonotonicTime::from_micros(at.micros().saturating_add(by));
        self.resets = self.resets.map(shifted);
        self.told = self.told.map(shifted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(seconds: u64) -> MonotonicTime {
        MonotonicTime::from_micros(0).after(SECOND * u32::try_from(seconds).unwrap())
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
    fn requests_in_flight_are_subtracted_from_headers() {
        let mut day = Day::new(Some(60));
        for _ in 0..3 {
            day.take(at(0));
        }
        day.end(at(0), told(2), false, at(1));
        // Two are in flight, and the server says that two remain.
        assert_eq!(day.wait(true, at(1)), Some(RECHECK_INTERVAL));
        day.end(at(0), told(1), false, at(2));
        assert_eq!(day.free(), 0);
        day.end(at(0), told(2), false, at(3));
        assert_eq!(day.free(), 1, "an older answer does not raise it");
        day.take(at(4));
        day.end(at(4), told(0), false, at(5));
        assert_eq!(day.wait(true, at(5)), Some(3600 * SECOND));
        assert!(day.drop_expired(at(3605)));
        assert_eq!((day.free(), day.wait(true, at(3605))), (60, None));
    }

    #[test]
    fn answers_that_are_reported_late_raise_nothing() {
        let mut day = Day::new(Some(60));
        for _ in 0..3 {
            day.take(at(0));
        }
        day.end(at(8), told(0), false, at(9));
        // Another process received these two earlier.
        day.end(at(1), told(4), false, at(2));
        day.end(at(3), told(3), false, at(4));
        assert_eq!((day.free(), day.wait(true, at(10)).is_some()), (0, true));
    }

    #[test]
    fn a_day_without_headers_is_counted() {
        let mut day = Day::new(Some(2));
        day.take(at(0));
        day.take(at(0));
        assert_eq!(day.wait(true, at(0)), Some(RECHECK_INTERVAL));
        day.end(at(0), None, true, at(1));
        assert_eq!(day.wait(true, at(1)), None, "what was not sent uses up nothing");
        day.take(at(1));
        day.end(at(0), None, false, at(1));
        day.end(at(1), None, false, at(1));
        assert_eq!(day.wait(true, at(1)), Some(DAY - SECOND));
        assert!(day.drop_expired(at(86_400)));
        assert_eq!(day.wait(true, at(86_400)), None);
    }

    #[test]
    fn little_is_left_before_the_end_of_the_day() {
        let mut day = Day::new(Some(100));
        assert!(!day.is_scarce(at(0)), "nothing was sent");
        for _ in 0..81 {
            day.take(at(0));
        }
        assert!(day.is_scarce(at(60)));
        assert!(!day.is_scarce(at(80_000)), "it lasts for the rest of the day");
        assert!(!Day::new(None).is_scarce(at(0)));
    }

    #[test]
    fn the_last_requests_are_left_to_those_that_somebody_waits_for() {
        let mut day = Day::new(Some(200));
        for _ in 0..198 {
            day.take(at(0));
            day.end(at(0), None, false, at(0));
        }
        assert_eq!((day.wait(true, at(0)), day.wait(false, at(0))), (None, Some(DAY)));
        assert_eq!(Day::new(Some(99)).wait(false, at(0)), None, "too few to divide");
    }

    #[test]
    fn possibly_sent_requests_count_after_a_restart() {
        let mut day = Day::new(Some(10));
        day.take(at(0));
        day.restore(4);
        assert_eq!(day.free(), 5);
        day.count_as_sent(9);
        assert_eq!(day.wait(true, at(1)), Some(DAY - SECOND));
    }
}
