//! Usage of a counter by another client with the same credential.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::monotonic_time::MonotonicTime;

/// How long a foreign client is assumed to stay active.
const ACTIVE_FOR: Duration = Duration::from_secs(600);
/// The same in intervals, if those are long.
const INTERVALS: u32 = 20;
/// The largest assumed ratio of foreign requests in flight to ours.
const MAX_RATIO: u32 = 3;
/// Longest wait before checking again for an answer.
const RECHECK_INTERVAL: Duration = Duration::from_secs(1);

/// A foreign client that uses a counter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ForeignUsage {
    /// Assumed to be active until then.
    pub(super) until: MonotonicTime,
    /// Its assumed requests in flight per request of ours; refusals raise it.
    ratio: u32,
}

/// Remaining requests of an interval, as stated by an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Left {
    pub(super) requests: u32,
    /// When it was stated.
    pub(super) at: MonotonicTime,
}

impl Left {
    /// Updates the remaining requests after an answer to a request that was `sent` stated `requests`.
    pub(super) fn told(
        known: Option<Left>,
        requests: u32,
        sent: Option<MonotonicTime>,
        now: MonotonicTime,
    ) -> Self {
        match known {
            // Answers can arrive out of order. Only one to a request sent after the lowest number was stated is
            // certainly newer.
            Some(known) if requests > known.requests && sent.is_none_or(|sent| sent < known.at) => known,
            // Other processes may report earlier answers later.
            _ => Self { requests, at: known.map_or(now, |known| known.at.max(now)) },
        }
    }
}

impl ForeignUsage {
    /// Updates after a foreign client was noticed; `refused` if it caused a refusal.
    pub(super) fn seen(
        known: Option<ForeignUsage>,
        refused: bool,
        per: Duration,
        now: MonotonicTime,
    ) -> Self {
        let ratio = known.map_or(1, |known| if refused { known.ratio + 1 } else { known.ratio });
        Self { until: now.after(ACTIVE_FOR.max(per.saturating_mul(INTERVALS))), ratio: ratio.min(MAX_RATIO) }
    }

    /// Allows another request beside those `under_way` only if enough remain for the foreign client's requests in
    /// flight. If nothing is known, allows a single one.
    pub(super) fn check(
        &self,
        left: Option<&Left>,
        under_way: usize,
        per: Duration,
        now: MonotonicTime,
    ) -> Result<(), Duration> {
        let under_way = u32::try_from(under_way).unwrap_or(u32::MAX);
        let free = match left {
            None => under_way == 0,
            Some(left) if under_way == 0 => left.requests > 1,
            Some(left) => (under_way + 1).saturating_mul(1 + self.ratio) <= left.requests,
        };
        match left {
            _ if free => Ok(()),
            Some(left) if under_way == 0 => Err(now.until(left.at.after(per))),
            _ => Err(RECHECK_INTERVAL),
        }
    }
}
