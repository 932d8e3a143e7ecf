//! Points in time as budgets count them: they go forward only, whatever is done to the machine's clock.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::clock::Clock;

/// Microseconds since 1970, by a clock that does not jump.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Moment(i64);

impl Moment {
    pub(super) fn of_micros(micros: i64) -> Self {
        Self(micros)
    }

    pub(super) fn micros(self) -> i64 {
        self.0
    }

    pub(super) fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(micros(span)))
    }

    /// How long it is from now until then; nothing if that is past.
    pub(super) fn until(self, then: Moment) -> Duration {
        Duration::from_micros(u64::try_from(then.0.saturating_sub(self.0)).unwrap_or(0))
    }

    /// Rounded up to whole `grain`s.
    pub(super) fn rounded_up(self, grain: Duration) -> Self {
        let grain = micros(grain).max(1);
        Self(self.0.saturating_add(grain - 1).div_euclid(grain).saturating_mul(grain))
    }
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

/// Tells the moment. It begins by the wall clock, or by the clock of a store that processes share, and goes
/// on by itself.
#[derive(Debug)]
pub(super) struct Timeline(Mutex<(Moment, Instant)>);

impl Timeline {
    pub(super) fn new(clock: &Clock) -> Self {
        Self(Mutex::new((Moment(clock.now().timestamp_micros()), Instant::now())))
    }

    pub(super) fn now(&self) -> Moment {
        let (base, at) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        base.after(at.elapsed())
    }

    /// It is `now` where all that share it look.
    pub(super) fn set(&self, now: Moment) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (now, Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::HandClock;
    use chrono::{DateTime, TimeDelta};

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_set_moves_no_moment() {
        let hand = HandClock::new(DateTime::UNIX_EPOCH);
        let timeline = Timeline::new(&hand.clock());
        let begun = timeline.now();
        hand.advance(TimeDelta::hours(-1));
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(begun.until(timeline.now()), Duration::from_secs(3));
        timeline.set(Moment::of_micros(5_000_000));
        assert_eq!(timeline.now().micros(), 5_000_000);
    }

    #[test]
    fn moments_are_rounded_up() {
        let grain = Duration::from_micros(100);
        assert_eq!(Moment(101).rounded_up(grain), Moment(200));
        assert_eq!(Moment(200).rounded_up(grain), Moment(200));
        assert_eq!(Moment(5).until(Moment(3)), Duration::ZERO);
    }
}
