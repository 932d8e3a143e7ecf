//! The source of the time: the system's clock in the program, a manual one in tests.

use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

/// The farthest a steady clock runs ahead: after a larger correction it follows the wall clock.
const FURTHEST: TimeDelta = TimeDelta::days(7);

/// A source of the current time. Cheap to clone.
#[derive(Clone)]
pub struct Clock {
    wall: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    /// See [`Clock::elapsed`].
    elapsed: Arc<dyn Fn() -> Duration + Send + Sync>,
    /// The state of the steady clock, shared by all clones.
    steady: Arc<OnceLock<Steady>>,
    /// Whether this is the steady clock.
    is_steady: bool,
}

/// The last time that a steady clock returned, and the elapsed time then.
type Steady = Mutex<(DateTime<Utc>, Duration)>;

/// The zero of [`Clock::elapsed`]: well before the program started, because a test's paused runtime lags behind.
static ORIGIN: LazyLock<std::time::Instant> = LazyLock::new(|| {
    let now = std::time::Instant::now();
    now.checked_sub(Duration::from_secs(3600)).unwrap_or(now)
});
/// All parts of the program share one steady clock.
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

    /// A steady form of this clock: it follows the clock forward but continues when it is set back, so that no pause
    /// or lease is prolonged. Clones share it.
    pub fn steady(&self) -> Self {
        drop(self.state());
        Self { is_steady: true, ..self.clone() }
    }

    fn state(&self) -> MutexGuard<'_, (DateTime<Utc>, Duration)> {
        unpoisoned(self.steady.get_or_init(|| Mutex::new(((self.wall)(), self.elapsed()))))
    }

    /// The current time.
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

    /// Monotonic time since a moment that all clones share, for pauses and limits. Stands still while a test pauses
    /// the runtime's time.
    pub fn elapsed(&self) -> Duration {
        (self.elapsed)()
    }

    /// How far a steady clock is ahead of the wall clock, because that was set back.
    pub fn ahead(&self) -> TimeDelta {
        // In this order, so that time between the two readings does not count.
        let wall = (self.wall)();
        let ahead = self.now() - wall;
        // Smaller differences are the time between the readings.
        if ahead < TimeDelta::milliseconds(100) { TimeDelta::zero() } else { ahead }
    }

    /// Makes a steady clock continue from `time`, if that is later: the wall clock was set back before this start.
    pub fn continue_from(&self, time: DateTime<Utc>) {
        let now = self.now();
        if self.is_steady && time - now <= FURTHEST {
            self.state().0 = now.max(time);
        }
    }
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The system clock.
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

/// A clock that is set manually.
#[derive(Debug, Clone)]
pub struct ManualClock {
    manual: Arc<Mutex<(DateTime<Utc>, Duration)>>,
    /// If set, it also runs by itself since then.
    runs_since: Option<Instant>,
}

impl ManualClock {
    /// A clock that stands at `start` until it is advanced.
    pub fn new(start: DateTime<Utc>) -> Self {
        Self { manual: Arc::new(Mutex::new((start, Duration::ZERO))), runs_since: None }
    }

    /// A clock that runs from `start`.
    pub fn running(start: DateTime<Utc>) -> Self {
        Self { runs_since: Some(Instant::now()), ..Self::new(start) }
    }

    /// Advances the clock; a negative value sets it back.
    pub fn advance(&self, by: TimeDelta) {
        let mut manual = unpoisoned(&self.manual);
        manual.0 += by;
        manual.1 += by.to_std().unwrap_or_default();
    }

    /// The clock as other code uses it.
    pub fn clock(&self) -> Clock {
        let (wall, elapsed) = (Arc::clone(&self.manual), Arc::clone(&self.manual));
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
    fn a_steady_clock_continues_when_the_wall_clock_is_set_back() {
        let manual = ManualClock::new(DateTime::UNIX_EPOCH);
        let (wall, steady) = (manual.clock(), manual.clock().steady());
        let passed = |clock: &Clock| (clock.now() - DateTime::UNIX_EPOCH).num_seconds();
        manual.advance(TimeDelta::seconds(100));
        assert_eq!((passed(&wall), passed(&steady), steady.ahead()), (100, 100, TimeDelta::zero()));
        manual.advance(TimeDelta::seconds(-3600));
        manual.advance(TimeDelta::seconds(5));
        assert_eq!((passed(&wall), passed(&steady.clone())), (-3495, 105));
        assert_eq!(steady.ahead(), TimeDelta::seconds(3600));
        manual.advance(TimeDelta::seconds(7200));
        assert_eq!(passed(&steady), 7305);
        // It follows when set forward.
        let again = manual.clock().steady();
        again.continue_from(DateTime::UNIX_EPOCH);
        assert_eq!(again.ahead(), TimeDelta::zero());
        again.continue_from(again.now() + TimeDelta::seconds(9));
        assert_eq!(again.ahead(), TimeDelta::seconds(9));
        again.continue_from(again.now() + TimeDelta::days(400));
        assert_eq!(again.ahead(), TimeDelta::seconds(9), "a clock may have been quite wrong");
    }
}
