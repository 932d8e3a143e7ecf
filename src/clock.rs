//! Where the time comes from: the system's clock in the program, a hand-set one in tests.

use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

/// No steady clock goes on further ahead than this: a clock that was wrong by more is simply put right.
const FURTHEST: TimeDelta = TimeDelta::days(7);

/// A source of the present time. Cheap to clone.
#[derive(Clone)]
pub struct Clock {
    wall: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    /// See [`Clock::elapsed`].
    elapsed: Arc<dyn Fn() -> Duration + Send + Sync>,
    /// What the steady one of these clocks shows. All clones share it.
    steady: Arc<OnceLock<Steady>>,
    /// This is the steady one.
    is_steady: bool,
}

/// What a steady clock showed last, and how much time had passed then.
type Steady = Mutex<(DateTime<Utc>, Duration)>;

/// What the system's clocks count from: well before the program began, for the time of a runtime that a test has paused
/// is behind.
static ORIGIN: LazyLock<std::time::Instant> = LazyLock::new(|| {
    let now = std::time::Instant::now();
    now.checked_sub(Duration::from_secs(3600)).unwrap_or(now)
});
/// All parts of the program have one steady clock.
static STEADY: LazyLock<Arc<OnceLock<Steady>>> = LazyLock::new(Arc::default);

impl Clock {
    /// The system's clock.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system for the time")]
    pub fn system() -> Self {
        let elapsed = || Instant::now().into_std().saturating_duration_since(*ORIGIN);
        Self {
            wall: Arc::new(Utc::now),
            elapsed: Arc::new(elapsed),
            steady: Arc::clone(&STEADY),
            is_steady: false,
        }
    }

    /// The same clock, but steady: it goes on when this one is set back, so that no pause and no lease becomes longer by
    /// that. It goes forward with this one, and runs ahead of it after it was set back. Clones have it in common.
    pub fn steady(&self) -> Self {
        drop(self.state());
        Self { is_steady: true, ..self.clone() }
    }

    fn state(&self) -> MutexGuard<'_, (DateTime<Utc>, Duration)> {
        unpoisoned(self.steady.get_or_init(|| Mutex::new(((self.wall)(), self.elapsed()))))
    }

    /// The present time.
    pub fn now(&self) -> DateTime<Utc> {
        let wall = (self.wall)();
        if !self.is_steady {
            return wall;
        }
        let mut last = self.state();
        let elapsed = self.elapsed();
        let since = TimeDelta::from_std(elapsed.saturating_sub(last.1)).unwrap_or_default();
        let on = last.0 + since;
        *last = (if on - wall > FURTHEST { wall } else { wall.max(on) }, elapsed);
        last.0
    }

    /// How much time has passed since some moment that is the same for all clones, whatever the wall clock is set
    /// to: for pauses and limits. Where a test pauses the runtime's time, this stands still, too.
    pub fn elapsed(&self) -> Duration {
        (self.elapsed)()
    }

    /// How far a steady clock is ahead of the wall clock, because that was set back.
    pub fn ahead(&self) -> TimeDelta {
        // In this order, or a moment that passes in between would count.
        let wall = (self.wall)();
        let ahead = self.now() - wall;
        // What is less is the time that it takes to ask.
        if ahead < TimeDelta::milliseconds(100) { TimeDelta::zero() } else { ahead }
    }

    /// A steady clock goes on from `time`, if that is later: before this start, the wall clock was set back.
    pub fn go_on_from(&self, time: DateTime<Utc>) {
        let now = self.now();
        if self.is_steady && time - now <= FURTHEST {
            self.state().0 = now.max(time);
        }
    }
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The system's.
impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// A clock that is set by hand.
#[derive(Debug, Clone)]
pub struct HandClock {
    hand: Arc<Mutex<(DateTime<Utc>, Duration)>>,
    /// It also goes by itself, since then.
    runs_since: Option<Instant>,
}

impl HandClock {
    /// A clock that stands at `start`, and moves only when told to.
    pub fn new(start: DateTime<Utc>) -> Self {
        Self { hand: Arc::new(Mutex::new((start, Duration::ZERO))), runs_since: None }
    }

    /// A clock that runs from `start`.
    pub fn running(start: DateTime<Utc>) -> Self {
        Self { runs_since: Some(Instant::now()), ..Self::new(start) }
    }

    /// Lets time pass; or, by less than nothing, sets the clock back.
    pub fn advance(&self, by: TimeDelta) {
        let mut hand = unpoisoned(&self.hand);
        hand.0 += by;
        hand.1 += by.to_std().unwrap_or_default();
    }

    /// The clock to hand to others.
    pub fn clock(&self) -> Clock {
        let (wall, elapsed) = (Arc::clone(&self.hand), Arc::clone(&self.hand));
        let since = self.runs_since;
        let ran = move || since.map_or(Duration::ZERO, |since| since.elapsed());
        Clock {
            wall: Arc::new(move || unpoisoned(&wall).0 + ran()),
            elapsed: Arc::new(move || unpoisoned(&elapsed).1 + ran()),
            steady: Arc::default(),
            is_steady: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_clock_goes_on_when_the_wall_clock_is_set_back() {
        let hand = HandClock::new(DateTime::UNIX_EPOCH);
        let (wall, steady) = (hand.clock(), hand.clock().steady());
        let passed = |clock: &Clock| (clock.now() - DateTime::UNIX_EPOCH).num_seconds();
        hand.advance(TimeDelta::seconds(100));
        assert_eq!((passed(&wall), passed(&steady), steady.ahead()), (100, 100, TimeDelta::zero()));
        hand.advance(TimeDelta::seconds(-3600));
        hand.advance(TimeDelta::seconds(5));
        assert_eq!((passed(&wall), passed(&steady.clone())), (-3495, 105));
        assert_eq!(steady.ahead(), TimeDelta::seconds(3600));
        hand.advance(TimeDelta::seconds(7200));
        assert_eq!(passed(&steady), 7305);
        // Set forward, it goes along.
        let again = hand.clock().steady();
        again.go_on_from(DateTime::UNIX_EPOCH);
        assert_eq!(again.ahead(), TimeDelta::zero());
        again.go_on_from(again.now() + TimeDelta::seconds(9));
        assert_eq!(again.ahead(), TimeDelta::seconds(9));
        again.go_on_from(again.now() + TimeDelta::days(400));
        assert_eq!(again.ahead(), TimeDelta::seconds(9), "a clock may have been quite wrong");
    }
}
