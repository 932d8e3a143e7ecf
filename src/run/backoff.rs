//! Delays between attempts.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::{RunId, StepKey};
use crate::recipe::Retry;
use crate::value::after;

/// When attempt `attempt` + 1 is due: full jitter below an exponential bound. Derived from a hash of its arguments,
/// so that `decide` stays pure.
pub(super) fn next_attempt(
    retry: &Retry,
    run: &RunId,
    step: &StepKey,
    attempt: u32,
    not_before: Option<Duration>,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    let wait = retry
        .backoff
        .pause(attempt)
        .mul_f64(fraction(run, step, attempt))
        .max(not_before.unwrap_or_default());
    after(now, wait)
}

/// A pseudo-random number from 0 to 1.
fn fraction(run: &RunId, step: &StepKey, attempt: u32) -> f64 {
    let digest = Sha256::digest(format!("{run}/{step}/{attempt}").as_bytes());
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&digest[..4]);
    f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_over_a_bound_that_doubles() {
        let retry = Retry::default();
        let wait = |run: &str, attempt| {
            let next = next_attempt(
                &retry,
                &RunId(run.into()),
                &StepKey::new("a"),
                attempt,
                None,
                DateTime::UNIX_EPOCH,
            );
            (next - DateTime::UNIX_EPOCH).as_seconds_f64()
        };
        for attempt in 1..12 {
            let bound = (2f64 * 2f64.powi(attempt - 1)).min(300.0);
            let waits: Vec<f64> = (0..50).map(|run| wait(&run.to_string(), attempt as u32)).collect();
            assert!(waits.iter().all(|wait| (0.0..=bound).contains(wait)));
            assert!(
                waits.iter().any(|wait| *wait > bound * 0.7) && waits.iter().any(|wait| *wait < bound * 0.3)
            );
        }
        assert!((wait("r", 1) - wait("r", 1)).abs() < f64::EPSILON);
    }

    #[test]
    fn a_server_that_names_a_time_is_heeded() {
        let (retry, now) = (Retry::default(), DateTime::UNIX_EPOCH);
        let asked = Some(Duration::from_secs(1000));
        let next = next_attempt(&retry, &RunId("r".into()), &StepKey::new("a"), 1, asked, now);
        assert_eq!((next - now).num_seconds(), 1000);
        let never = Some(Duration::MAX);
        let next = next_attempt(&retry, &RunId("r".into()), &StepKey::new("a"), 1, never, now);
        assert_eq!(next, DateTime::<Utc>::MAX_UTC, "and not tried at once because it is so far off");
    }
}
