//! A connection that keeps failing is left alone for a while, so that its runs wait instead of using
//! up their attempts.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

// Processes that share a store count together there, by the same numbers: see window.rs.

/// Failures in a row that open it.
const FAILURES: u32 = 5;
const FIRST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(300);

/// Counts failures in a row. Open, it lets one request through after each pause, to see.
#[derive(Debug, Default)]
pub struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    open_until: Option<Instant>,
    /// A request went to see; what becomes of it counts.
    probing: bool,
}

impl Breaker {
    /// Whether a request may go; else how long to wait.
    pub fn check(&self) -> Result<(), Duration> {
        self.check_at(Instant::now())
    }

    /// What became of a request: no answer or a 5xx is a failure, everything else is life.
    pub fn report(&self, alive: bool) {
        self.report_at(alive, Instant::now());
    }

    /// So many failures in a row that it opened.
    pub fn is_open(&self) -> bool {
        Self::opens(self.0.lock().unwrap_or_else(PoisonError::into_inner).failures)
    }

    /// Whether it opens after so many failures in a row.
    pub(super) fn opens(failures: u32) -> bool {
        failures >= FAILURES
    }

    /// For how long a connection is left alone after so many failures in a row.
    pub fn pause(failures: u32) -> Duration {
        let doublings = failures.saturating_sub(FAILURES).min(10);
        (FIRST * 2u32.pow(doublings)).min(LONGEST)
    }

    fn check_at(&self, now: Instant) -> Result<(), Duration> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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

    fn report_at(&self, alive: bool, now: Instant) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
            state.open_until = Some(now + Self::pause(state.failures));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_after_failures_in_a_row_and_closes_on_life() {
        let (breaker, now) = (Breaker::default(), Instant::now());
        for _ in 0..4 {
            breaker.report_at(false, now);
        }
        assert_eq!(breaker.check_at(now), Ok(()));
        breaker.report_at(false, now);
        breaker.report_at(false, now);
        assert_eq!(breaker.check_at(now), Err(FIRST));
        let later = now + FIRST;
        assert_eq!(breaker.check_at(later), Ok(()));
        assert_eq!(breaker.check_at(later), Err(FIRST), "only one goes to see");
        breaker.report_at(false, later);
        assert_eq!(breaker.check_at(later), Err(2 * FIRST));
        breaker.report_at(true, later);
        assert_eq!(breaker.check_at(later), Ok(()));
        assert!(!breaker.is_open());
    }
}
