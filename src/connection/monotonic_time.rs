//! Monotonic time for budgets, independent of changes of the system clock.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Clock;

/// Microseconds since 1970, by a clock that does not jump.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct MonotonicTime(i64);

impl MonotonicTime {
    pub(super) fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    pub(super) fn micros(self) -> i64 {
        self.0
    }

    pub(super) fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(micros(span)))
    }

    pub(super) fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(micros(span)))
    }

    /// The duration until `then`; zero if that is past.
    pub(super) fn until(self, then: MonotonicTime) -> Duration {
        Duration::from_micros(u64::try_from(then.0.saturating_sub(self.0)).unwrap_or(0))
    }

    /// Rounded up to a multiple of `grain`.
    pub(super) fn rounded_up(self, grain: Duration) -> Self {
        let grain = micros(grain).max(1);
        Self(self.0.saturating_add(grain - 1).div_euclid(grain).saturating_mul(grain))
    }
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

/// A clock that starts with the wall clock, or the clock of a shared store, and then runs by itself. A store's answer
/// is as old as its way here, so the time is known only within bounds: waits use the earliest possible time, and past
/// events get the latest.
#[derive(Debug)]
pub(super) struct Timeline {
    clock: Clock,
    known: Mutex<Known>,
}

/// The bounds of the time at a moment.
#[derive(Debug, Clone, Copy)]
struct Known {
    earliest: MonotonicTime,
    /// The latest possible time is this much later.
    slack: Duration,
    /// The moment, by [`Clock::elapsed`].
    at: Duration,
    /// Whether it is the store's clock.
    of_store: bool,
}

/// The assumed drift of two clocks is one part in this many.
const DRIFT: u32 = 5_000;

impl Known {
    /// The bounds at a later moment.
    fn later(self, at: Duration) -> Self {
        let passed = at.saturating_sub(self.at);
        Self { earliest: self.earliest.after(passed), at, ..self }
    }

    fn latest(self) -> MonotonicTime {
        self.earliest.after(self.slack)
    }

    /// The intersection of both bounds; `other` if there is none.
    fn and(self, other: Self) -> Self {
        let drift = other.at.saturating_sub(self.at) / DRIFT;
        let this = self.later(other.at);
        let (earliest, latest) =
            (this.earliest.before(drift).max(other.earliest), this.latest().after(drift).min(other.latest()));
        match earliest <= latest && this.of_store {
            true => Self { earliest, slack: earliest.until(latest), ..other },
            false => other,
        }
    }
}

impl Timeline {
    pub(super) fn new(clock: &Clock) -> Self {
        let earliest = MonotonicTime(clock.now().timestamp_micros());
        let known = Known { earliest, slack: Duration::ZERO, at: clock.elapsed(), of_store: false };
        Self { clock: clock.clone(), known: Mutex::new(known) }
    }

    /// The earliest possible time.
    pub(super) fn now(&self) -> MonotonicTime {
        self.known().earliest
    }

    /// The latest possible time.
    pub(super) fn latest(&self) -> MonotonicTime {
        self.known().latest()
    }

    /// Sets the time from a store's answer: it was `then`, at most `took` ago.
    pub(super) fn set_from_store(&self, then: MonotonicTime, took: Duration) {
        let heard = Known { earliest: then, slack: took, at: self.clock.elapsed(), of_store: true };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known = known.and(heard);
    }

    /// The current bounds.
    fn known(&self) -> Known {
        let known = *self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.later(self.clock.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use chrono::{DateTime, TimeDelta};

    #[test]
    fn a_clock_that_is_set_moves_no_moment() {
        let manual = ManualClock::new(DateTime::UNIX_EPOCH);
        let timeline = Timeline::new(&manual.clock());
        let begun = timeline.now();
        manual.advance(TimeDelta::hours(-1));
        manual.advance(TimeDelta::seconds(3));
        assert_eq!(begun.until(timeline.now()), Duration::from_secs(3));
        timeline.set_from_store(MonotonicTime::from_micros(5_000_000), Duration::ZERO);
        assert_eq!((timeline.now().micros(), timeline.latest().micros()), (5_000_000, 5_000_000));
    }

    #[test]
    fn a_slow_answer_of_the_store_is_known_within_bounds() {
        let manual = ManualClock::new(DateTime::UNIX_EPOCH);
        let timeline = Timeline::new(&manual.clock());
        let known = || (timeline.now().micros() / 1000, timeline.latest().micros() / 1000);
        let (tenth, fiftieth) = (Duration::from_millis(100), Duration::from_millis(20));
        timeline.set_from_store(MonotonicTime::from_micros(5_000_000), tenth);
        assert_eq!(known(), (5_000, 5_100));
        manual.advance(TimeDelta::milliseconds(100));
        timeline.set_from_store(MonotonicTime::from_micros(5_150_000), fiftieth);
        assert_eq!(known(), (5_150, 5_170), "a quick one tells more");
        manual.advance(TimeDelta::milliseconds(100));
        timeline.set_from_store(MonotonicTime::from_micros(5_200_000), tenth);
        assert_eq!(known(), (5_249, 5_270), "a slow one takes nothing back, but for what clocks run apart");
        timeline.set_from_store(MonotonicTime::from_micros(9_000_000), fiftieth);
        assert_eq!(known(), (9_000, 9_020), "another clock is another clock");
    }

    #[test]
    fn moments_are_rounded_up() {
        let grain = Duration::from_micros(100);
        assert_eq!(MonotonicTime(101).rounded_up(grain), MonotonicTime(200));
        assert_eq!(MonotonicTime(200).rounded_up(grain), MonotonicTime(200));
        assert_eq!(MonotonicTime(5).until(MonotonicTime(3)), Duration::ZERO);
    }
}
