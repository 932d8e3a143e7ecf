//! The server's clock. Leases and claims use it, because the clocks of processes that share a store may differ.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio_postgres::Row;

use crate::clock::Clock;
use crate::journal::encoding::stamp;

use super::failure::Failure;

/// Queries the server's time, in microseconds since 1970.
pub(super) const QUERY: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

/// Slower answers are too imprecise to set the clock by.
const MAX_QUERY_TIME: Duration = Duration::from_secs(1);

/// Differences below this, in nanoseconds, are ignored: workers give up their leases earlier than that.
const TOLERANCE: i64 = 250_000_000;

/// The offset of the server's clock from the local monotonic one, in nanoseconds. Leases use the monotonic clock
/// because it does not jump when the system clock is set.
#[derive(Debug, Default)]
pub(super) struct ServerClock(AtomicI64);

/// A query for the time in progress.
pub(super) struct ClockQuery {
    at: DateTime<Utc>,
    begun: Instant,
}

impl ClockQuery {
    /// Starts now.
    pub(super) fn now() -> Self {
        Self { at: Clock::system().steady().now(), begun: Instant::now() }
    }
}

impl ServerClock {
    /// Sets the offset from the answer to [`QUERY`].
    pub(super) fn set_from(&self, query: &ClockQuery, rows: &[Row]) -> Result<(), Failure> {
        let micros: i64 = rows.first().ok_or(Failure::Closed)?.try_get(0)?;
        self.adjust(query.at, query.begun.elapsed(), micros.saturating_mul(1000));
        Ok(())
    }

    fn adjust(&self, at: DateTime<Utc>, took: Duration, there: i64) {
        if took <= MAX_QUERY_TIME {
            // The server read its clock about halfway.
            let half = i64::try_from(took.as_nanos() / 2).unwrap_or(0);
            let here = stamp(at).saturating_add(half);
            let ahead = there.saturating_sub(here);
            self.0.store(if ahead.abs() <= TOLERANCE { 0 } else { ahead }, Ordering::Relaxed);
        }
    }

    /// The server's stamp at the local stamp `time`.
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
