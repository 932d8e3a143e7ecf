//! The server's clock. Leases and claims are judged by it, for the clocks of the processes that share a
//! store need not agree.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio_postgres::Row;

use crate::clock::Clock;
use crate::journal::encoding::stamp;

use super::failure::Failure;

/// Asks for the server's time, in microseconds since 1970.
pub(super) const ASK: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

/// How long an answer may take that still tells the time.
const SLOW: Duration = Duration::from_secs(1);

/// Clocks that differ by less, in nanoseconds, agree: workers take leases to be over earlier than that.
const AGREED: i64 = 250_000_000;

/// Nanoseconds by which the server's clock is ahead of ours, which is the one that leases go by: it does not
/// jump when the machine's clock is set.
#[derive(Debug, Default)]
pub(super) struct ServerClock(AtomicI64);

/// A question for the time that is under way.
pub(super) struct Asked {
    at: DateTime<Utc>,
    begun: Instant,
}

impl Asked {
    /// It is asked now.
    pub(super) fn now() -> Self {
        Self { at: Clock::system().steady().now(), begun: Instant::now() }
    }
}

impl ServerClock {
    /// Takes the answer to [`ASK`] into account.
    pub(super) fn answered(&self, asked: &Asked, rows: &[Row]) -> Result<(), Failure> {
        let micros: i64 = rows.first().ok_or(Failure::Closed)?.try_get(0)?;
        self.adjust(asked.at, asked.begun.elapsed(), micros.saturating_mul(1000));
        Ok(())
    }

    fn adjust(&self, at: DateTime<Utc>, took: Duration, there: i64) {
        if took <= SLOW {
            // It was answered somewhere in between.
            let half = i64::try_from(took.as_nanos() / 2).unwrap_or(0);
            let here = stamp(at).saturating_add(half);
            let ahead = there.saturating_sub(here);
            self.0.store(if ahead.abs() <= AGREED { 0 } else { ahead }, Ordering::Relaxed);
        }
    }

    /// The server's stamp of what is `time` here.
    pub(super) fn stamp(&self, time: i64) -> i64 {
        time.saturating_add(self.0.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_wrong_here_is_put_right() {
        let clock = ServerClock::default();
        let at = DateTime::from_timestamp(1_000, 0).unwrap();
        clock.adjust(at, Duration::from_millis(200), 1_060_100_000_000);
        assert_eq!(clock.stamp(stamp(at)), 1_060_000_000_000);
        clock.adjust(at, Duration::from_secs(3), 0);
        assert_eq!(clock.stamp(stamp(at)), 1_060_000_000_000, "what came late tells nothing");
        clock.adjust(at, Duration::ZERO, 1_000_200_000_000);
        assert_eq!(clock.stamp(stamp(at)), stamp(at), "they agree");
    }
}
