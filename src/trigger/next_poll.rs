//! Computes when to poll next. Pure.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use crate::event::{Cursor, Pace};
use crate::recipe::Every;
use crate::value::{Backoff, after};

/// Delays after failures.
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(10), Duration::from_secs(15 * 60));
/// How much longer a fixed interval is while little is left of the budget, and by how much at most.
const SPARING: (u32, Duration) = (4, Duration::from_secs(3600));
/// Maximum jitter between polls.
const MAX_JITTER: Duration = Duration::from_secs(15);

/// When the next poll of `cursor` is due. If the clock has been set back since it was planned, the poll is due now,
/// because the planned time may be days away.
pub(super) fn due(cursor: &Cursor, now: DateTime<Utc>) -> DateTime<Utc> {
    if cursor.started > now { now } else { cursor.due }
}

/// When the poll after one that began at `started` and ended at `now` is due. Intervals get a jitter, which is always
/// the same for one cursor `key`.
pub(super) fn next(
    every: &Every,
    pace: &Pace,
    key: &str,
    started: DateTime<Utc>,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    let interval = match every {
        Every::Cron(text) => return text.cron.next_after(now).unwrap_or(DateTime::<Utc>::MAX_UTC),
        Every::Interval(interval) => pace.interval_ms.map_or(*interval, Duration::from_millis),
        Every::Adaptive { longest, .. } => pace.interval_ms.map_or(*longest, Duration::from_millis),
    };
    // A clock that was set back must not delay the next poll, and a slow poll must not skip one.
    let from = if started > now { now } else { started };
    after(from, period(key, interval)).max(now)
}

/// The pace after a poll that found something or nothing; `is_scarce` if little is left of the budget.
pub(super) fn pace_after(every: &Every, pace: &Pace, found: bool, is_scarce: bool) -> Pace {
    let (quiet, interval) = match every {
        Every::Adaptive { shortest, longest } => {
            let quiet = if found { 0 } else { pace.quiet.saturating_add(1) };
            (quiet, if is_scarce { *longest } else { adapted(*shortest, *longest, quiet) })
        }
        Every::Interval(interval) if is_scarce => {
            let (times, most) = SPARING;
            (0, interval.saturating_mul(times).min(interval.saturating_add(most)))
        }
        Every::Interval(_) | Every::Cron(_) => return Pace::default(),
    };
    let interval_ms = Some(u64::try_from(interval.as_millis()).unwrap_or(u64::MAX));
    Pace { quiet, interval_ms, spares_budget: is_scarce }
}

/// The interval after `quiet` polls in a row that found nothing: each of them doubles it.
pub fn adapted(shortest: Duration, longest: Duration, quiet: u32) -> Duration {
    shortest.saturating_mul(2_u32.saturating_pow(quiet)).min(longest)
}

/// The time between the starts of two polls with this interval: the interval and its jitter.
pub fn period(key: &str, interval: Duration) -> Duration {
    interval.saturating_add(jitter(key, interval))
}

/// When to retry after `failures` consecutive failures, the last of them at `now`.
pub(super) fn after_failure(
    failures: u32,
    asked: Option<Duration>,
    key: &str,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    let pause = BACKOFF.pause(failures);
    after(now, pause.max(asked.unwrap_or_default()).saturating_add(jitter(key, pause)))
}

/// A jitter of up to a twentieth of `interval`.
fn jitter(key: &str, interval: Duration) -> Duration {
    let most = (interval / 20).min(MAX_JITTER);
    let digest = Sha256::digest(key);
    let share = u32::from(u16::from_be_bytes([digest[0], digest[1]]));
    most * share / u32::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn an_interval_counts_from_the_start_of_the_poll() {
        let every = Every::Interval(Duration::from_secs(300));
        let started = at("2026-11-23T12:00:00Z");
        let next = |started, now| next(&every, &Pace::default(), "a@b", started, now);
        let due = next(started, started + TimeDelta::seconds(20)) - started;
        assert!(due >= TimeDelta::seconds(300) && due <= TimeDelta::seconds(315), "{due}");
        let late = started + TimeDelta::seconds(900);
        assert_eq!(next(started, late), late, "a long poll is followed by the next at once");
        let back = started - TimeDelta::days(2);
        assert!(next(started, back) < back + TimeDelta::seconds(320), "after a clock change");
    }

    #[test]
    fn an_adaptive_interval_doubles_while_nothing_happens_and_all_spare_the_budget() {
        let (shortest, longest) = (Duration::from_secs(60), Duration::from_secs(900));
        let every = Every::Adaptive { shortest, longest };
        let mut pace = Pace::default();
        let mut minutes = |found: bool, is_scarce: bool| {
            pace = pace_after(&every, &pace, found, is_scarce);
            let started = at("2026-11-23T12:00:00Z");
            (next(&every, &pace, "a@b", started, started) - started).num_minutes()
        };
        let paces: Vec<i64> = [true, false, false, false, false, false, true, false]
            .map(|found| minutes(found, false))
            .to_vec();
        assert_eq!(paces, [1, 2, 4, 8, 15, 15, 1, 2]);
        assert_eq!(minutes(true, true), 15, "little is left of the budget");
        assert_eq!(minutes(true, false), 1);
        assert_eq!(adapted(shortest, longest, u32::MAX), longest);
        let minutes = |interval: Duration, is_scarce| {
            let every = Every::Interval(interval);
            let pace = pace_after(&every, &Pace::default(), true, is_scarce);
            let started = at("2026-11-23T12:00:00Z");
            ((next(&every, &pace, "a@b", started, started) - started).num_minutes(), pace.spares_budget)
        };
        assert_eq!((minutes(shortest, true), minutes(shortest, false)), ((4, true), (1, false)));
        assert_eq!(minutes(6 * 4 * longest, true), (7 * 60, true), "a sweep is put off by an hour at most");
    }

    #[test]
    fn pauses_grow_to_a_limit_and_heed_the_server() {
        let now = at("2026-11-23T12:00:00Z");
        let pause = |failures, asked| (after_failure(failures, asked, "a@b", now) - now).num_seconds();
        assert!((10..=11).contains(&pause(1, None)));
        assert!((40..=42).contains(&pause(3, None)));
        assert!((900..=915).contains(&pause(99, None)));
        assert!((3600..=3601).contains(&pause(1, Some(Duration::from_secs(3600)))));
        let never = after_failure(1, Some(Duration::MAX), "a@b", now);
        assert_eq!(never, DateTime::<Utc>::MAX_UTC, "what a server asks for breaks nothing");
    }
}
