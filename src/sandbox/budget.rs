//! Rate limits, counted and reported like the API's.

use std::collections::HashMap;

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::time;
use crate::catalog::Limits;

/// The rate limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Budget {
    /// The connector's.
    #[default]
    Usual,
    /// None; the headers report a very large limit.
    Unlimited,
    /// This limit.
    Limited {
        /// Requests per interval.
        requests: u64,
        /// Length of the interval in milliseconds.
        interval_ms: i64,
        /// Requests per day.
        daily: u64,
    },
}

const DAY_MS: i64 = 86_400_000;
const NO_LIMIT: u64 = 1_000_000_000;

/// Requests counted so far, bursts by caller. Windows are fixed and open with their first request.
#[derive(Debug)]
pub(super) struct RequestCounters {
    max: u64,
    interval_ms: i64,
    daily: u64,
    windows: HashMap<String, (i64, u64)>,
    day: (i64, u64),
}

impl RequestCounters {
    /// No requests. `limits` apply for `Budget::Usual`.
    pub(super) fn new(budget: &Budget, limits: &Limits) -> Self {
        let (max, interval_ms, daily) = match budget {
            Budget::Unlimited => (NO_LIMIT, 10_000, NO_LIMIT),
            Budget::Limited { requests, interval_ms, daily } => (*requests, *interval_ms, *daily),
            Budget::Usual => {
                let (max, interval) = limits.burst.as_deref().and_then(burst).unwrap_or((NO_LIMIT, 10_000));
                (max, interval, limits.daily.unwrap_or(NO_LIMIT))
            }
        };
        Self { max, interval_ms, daily, windows: HashMap::new(), day: (i64::MIN, 0) }
    }

    /// Counts a request of `caller` at `now`; returns whether it is allowed.
    pub(super) fn try_count(&mut self, caller: &str, now: i64) -> bool {
        let window = self.windows.entry(caller.to_owned()).or_insert((i64::MIN, 0));
        renew(window, now, self.interval_ms);
        renew(&mut self.day, now, DAY_MS);
        if window.1 >= self.max || self.day.1 >= self.daily {
            return false;
        }
        window.1 += 1;
        self.day.1 += 1;
        true
    }

    /// Adds the headers with the caller's limits, under the connector's names.
    pub(super) fn write_headers(&self, caller: &str, limits: &Limits, now: i64, headers: &mut HeaderMap) {
        let names = &limits.headers;
        let spent = self.windows.get(caller).map_or(0, |window| window.1);
        let reset = self.day.0.saturating_add(DAY_MS).saturating_sub(now).clamp(0, DAY_MS);
        let values = [
            (&names.max, self.max.to_string()),
            (&names.remaining, self.max.saturating_sub(spent).to_string()),
            (&names.interval_ms, self.interval_ms.to_string()),
            (&names.daily, self.daily.to_string()),
            (&names.daily_remaining, self.daily.saturating_sub(self.day.1).to_string()),
            (&names.daily_reset_ms, reset.to_string()),
        ];
        for (name, value) in values {
            let name = name.as_ref().and_then(|name| HeaderName::from_bytes(name.as_bytes()).ok());
            if let (Some(name), Ok(value)) = (name, HeaderValue::from_str(&value)) {
                headers.insert(name, value);
            }
        }
    }
}

fn renew(window: &mut (i64, u64), now: i64, length: i64) {
    if now >= window.0.saturating_add(length) {
        *window = (now, 0);
    }
}

/// `100/10s`
fn burst(text: &str) -> Option<(u64, i64)> {
    let (requests, interval) = text.split_once('/')?;
    Some((requests.trim().parse().ok()?, time::duration(interval.trim())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_fills_up_and_renews() {
        let limits = Limits { burst: Some("3/10s".into()), ..Limits::default() };
        let mut counters = RequestCounters::new(&Budget::Usual, &limits);
        let taken: Vec<bool> = [0, 1, 2, 9_999, 10_000].map(|now| counters.try_count("me", now)).to_vec();
        assert_eq!(taken, [true, true, true, false, true]);
        assert!(counters.try_count("you", 9_999));
    }

    #[test]
    fn the_day_ends_it_all() {
        let mut counters = RequestCounters::new(
            &Budget::Limited { requests: 100, interval_ms: 10, daily: 2 },
            &Limits::default(),
        );
        assert!(
            counters.try_count("a", 0)
                && counters.try_count("b", 100)
                && !counters.try_count("a", 200)
                && counters.try_count("a", DAY_MS)
        );
    }
}
