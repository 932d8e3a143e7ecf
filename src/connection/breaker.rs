//! A connection that keeps failing is left alone for a while, so that its runs wait instead of using
//! up their attempts.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::value::Backoff;

// Processes that share a store count together there, by the same numbers: see sliding_window.rs.

/// Failures in a row that open it.
const FAILURES: u32 = 5;
/// For how long it is open, beginning with the failure that opened it.
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(5), Duration::from_secs(300));

/// Counts failures in a row. Open, it lets one request through after each pause, to see.
#[derive(Debug, Default)]
pub struct Breaker {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// By [`Clock::elapsed`].
    open_until: Option<Duration>,
    /// A request went to see; what becomes of it counts.
    probing: bool,
}

impl Breaker {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, state: Mutex::default() }
    }

    /// Whether a request may go; else how long to wait.
    pub fn check(&self) -> Result<(), Duration> {
        let (mut state, now) = (self.state(), self.clock.elapsed());
        match state.open_until {
            Some(until) if until > now => Err(until - now),
            Some(_) => {
                // One goes to see; the others wait for what it finds.
                state.open_until = Some(now + Self::pause(state.failures));
                state.probing = true;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// What became of a request: no answer or a 5xx is a failure, everything else is life.
    pub fn report(&self, alive: bool) {
        let mut state = self.state();
        if alive {
            *state = State::default();
            return;
        }
        // Requests that were under way when it opened say nothing new.
        if state.open_until.is_some() && !std::mem::take(&mut state.probing) {
            return;
        }
        state.failures = state.failures.saturating_add(1);
        if Self::opens(state.failures) {
            state.open_until = Some(self.clock.elapsed() + Self::pause(state.failures));
        }
    }

    /// So many failures in a row that it opened.
    pub fn is_open(&self) -> bool {
        Self::opens(self.state().failures)
    }

    /// Whether it opens after so many failures in a row.
    pub(super) fn opens(failures: u32) -> bool {
        failures >= FAILURES
    }

    /// For how long a connection is left alone after so many failures in a row.
    pub fn pause(failures: u32) -> Duration {
        BACKOFF.pause(failures.saturating_sub(FAILURES - 1))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use chrono::{DateTime, TimeDelta};

    #[test]
    fn opens_after_failures_in_a_row_and_closes_on_life() {
        let manual = ManualClock::new(DateTime::UNIX_EPOCH);
        let (breaker, first) = (Breaker::new(manual.clock()), BACKOFF.first);
        for _ in 0..4 {
            breaker.report(false);
        }
        assert_eq!(breaker.check(), Ok(()));
        breaker.report(false);
        breaker.report(false);
        assert_eq!(breaker.check(), Err(first));
        manual.advance(TimeDelta::hours(-1));
        assert_eq!(breaker.check(), Err(first), "a clock that is set back closes nothing, and opens nothing");
        manual.advance(TimeDelta::from_std(first).unwrap());
        assert_eq!(breaker.check(), Ok(()));
        assert_eq!(breaker.check(), Err(first), "only one goes to see");
        breaker.report(false);
        assert_eq!(breaker.check(), Err(2 * first));
        breaker.report(true);
        assert_eq!(breaker.check(), Ok(()));
        assert!(!breaker.is_open());
    }
}
