//! Where the time comes from: the system's clock in the program, a hand-set one in tests.

use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

/// No steady clock goes on further ahead than this: a clock that was wrong by more is simply put right.
const FURTHEST: TimeDelta = TimeDelta::days(7);

/// A source of the present time. Cheap to clone.
#[derive(Clone)]
pub struct Clock {
    wall: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    /// How much time has passed since some moment, whatever the wall clock is set to.
    passed: Arc<dyn Fn() -> Duration + Send + Sync>,
    /// A steady clock's own state.
    steady: Option<Steady>,
}

/// What a steady clock showed last, and how much time had passed then.
type Steady = Arc<Mutex<(DateTime<Utc>, Duration)>>;

/// When the program began to ask for the time, and the steady clock of all its parts.
static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
static STEADY: OnceLock<Steady> = OnceLock::new();

impl Clock {
    /// The system's clock.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system for the time")]
    pub fn system() -> Self {
        Self { wall: Arc::new(Utc::now), passed: Arc::new(|| BEGUN.elapsed()), steady: None }
    }

    /// The system's clock, but steady: the same for all parts of the program, and the one by which pauses and
    /// leases end.
    pub fn system_steady() -> Self {
        let system = Self::system();
        let steady = STEADY.get_or_init(|| system.begin());
        Self { steady: Some(Arc::clone(steady)), ..system }
    }

    /// A clock that goes on when this one is set back, so that no pause becomes longer by that. It goes
    /// forward with this one, and runs ahead of it after it was set back. Clones run together.
    pub fn steady(&self) -> Self {
        Self { steady: Some(self.begin()), ..self.clone() }
    }

    fn begin(&self) -> Steady {
        Arc::new(Mutex::new(((self.wall)(), (self.passed)())))
    }

    /// The present time.
    pub fn now(&self) -> DateTime<Utc> {
        let wall = (self.wall)();
        let Some(steady) = &self.steady else { return wall };
        let mut last = unpoisoned(steady);
        let passed = (self.passed)();
        let since = TimeDelta::from_std(passed.saturating_sub(last.1)).unwrap_or_default();
        let on = last.0 + since;
        *last = (if on - wall > FURTHEST { wall } else { wall.max(on) }, passed);
        last.0
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
        let Some(steady) = &self.steady else { return };
        let now = self.now();
        if time - now <= FURTHEST {
            unpoisoned(steady).0 = now.max(time);
        }
    }
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
        let (wall, passed) = (Arc::clone(&self.hand), Arc::clone(&self.hand));
        let since = self.runs_since;
        let ran = move || since.map_or(Duration::ZERO, |since| since.elapsed());
        Clock {
            wall: Arc::new(move || unpoisoned(&wall).0 + ran()),
            passed: Arc::new(move || unpoisoned(&passed).1 + ran()),
            steady: None,
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
