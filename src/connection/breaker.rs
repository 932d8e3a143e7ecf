//! Circuit breaker: a connection that keeps failing is not used for a while, so that its runs wait instead of using
//! up their attempts.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::value::Backoff;

// Processes that share a store count failures there, with the same limits: see sliding_window.rs.

/// Consecutive failures that open it.
const FAILURES: u32 = 5;
/// How long it stays open after the failure that opened it.
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(5), Duration::from_secs(300));

/// Counts consecutive failures. While open, it allows one probing request after each pause.
#[derive(Debug, Default)]
pub struct Breaker {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// A probing request is in flight.
    open_until: Option<Duration>,
    /// A request went to see; what becomes of it counts.
    probing: bool,
}

impl Breaker {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, state: Mutex::default() }
    }

    /// Whether a request is allowed; the error is how long to wait.
    pub fn check(&self) -> Result<(), Duration> {
        let (mut state, now) = (self.state(), self.clock.elapsed());
        match state.open_until {
            Some(until) if until > now => Err(until - now),
            Some(_) => {
                // This request probes; the others wait for its result.
                state.open_until = Some(now + Self::pause(state.failures));
                state.probing = true;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Reports a request. No answer and 5xx are failures.
    pub fn report(&self, alive: bool) {
        let mut state = self.state();
        if alive {
            *state = State::default();
            return;
        }
        // Requests in flight when it opened do not count.
        if state.open_until.is_some() && !std::mem::take(&mut state.probing) {
            return;
        }
        state.failures = state.failures.saturating_add(1);
        if Self::opens(state.failures) {
            state.open_until = Some(self.clock.elapsed() + Self::pause(state.failures));
        }
    }

    /// Whether it has opened.
    pub fn is_open(&self) -> bool {
        Self::opens(self.state().failures)
    }

    /// Whether this many consecutive failures open it.
    pub(super) fn opens(failures: u32) -> bool {
        failures >= FAILURES
    }

    /// How long it stays open after this many consecutive failures.
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
