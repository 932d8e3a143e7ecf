//! Sharing a counter with an unknown client: another program with the same credential.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::monotonic_time::MonotonicTime;

/// How long a foreign client that was seen is expected to continue.
const MEMORY: Duration = Duration::from_secs(600);
/// The same in intervals, where those are long.
const INTERVALS: u32 = 20;
/// Foreign clients are assumed to have at most so many times our number of requests under way.
const MOST: u32 = 3;
/// How long to wait at most before looking again for an answer under way.
const ANSWER: Duration = Duration::from_secs(1);

/// A foreign client that spends from a counter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ForeignUsage {
    /// It is assumed to be active until then.
    pub(super) until: MonotonicTime,
    /// How many requests it has under way for each of ours: an estimate that refusals raise.
    ratio: u32,
}

/// What an answer said is left in an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Left {
    pub(super) requests: u32,
    /// When it was said.
    pub(super) at: MonotonicTime,
}

impl Left {
    /// What is known after an answer to a request that was `sent` said `requests`.
    pub(super) fn told(
        known: Option<Left>,
        requests: u32,
        sent: Option<MonotonicTime>,
        now: MonotonicTime,
    ) -> Self {
        match known {
            // Answers overtake each other. Only one to a request that was sent after the lowest number was
            // known tells of a later moment for sure.
            Some(known) if requests > known.requests && sent.is_none_or(|sent| sent < known.at) => known,
            // Other processes may report earlier answers later.
            _ => Self { requests, at: known.map_or(now, |known| known.at.max(now)) },
        }
    }
}

impl ForeignUsage {
    /// They were seen, after what was known of them; `refused`: their spending cost us a refusal.
    pub(super) fn seen(
        known: Option<ForeignUsage>,
        refused: bool,
        per: Duration,
        now: MonotonicTime,
    ) -> Self {
        let ratio = known.map_or(1, |known| if refused { known.ratio + 1 } else { known.ratio });
        Self { until: now.after(MEMORY.max(per.saturating_mul(INTERVALS))), ratio: ratio.min(MOST) }
    }

    /// Spreads out: one more request beside `under_way` only where enough is left for what the others may
    /// have under way as well. Where nothing is known, one goes to see.
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
            _ => Err(ANSWER),
        }
    }
}
