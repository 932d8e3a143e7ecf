//! Rate limits in the headers of answers.

use std::time::Duration;

use reqwest::header::HeaderMap;

use crate::catalog::LimitHeaders;

pub(super) const DAY: Duration = Duration::from_secs(86_400);

/// The values of an answer's rate limit headers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct LimitHeaderValues {
    pub(super) max: Option<u32>,
    pub(super) remaining: Option<u32>,
    pub(super) interval: Option<Duration>,
    pub(super) daily: Option<u64>,
    pub(super) daily_remaining: Option<u64>,
    pub(super) daily_reset: Option<Duration>,
}

impl LimitHeaderValues {
    /// Reads the headers of these `names`.
    pub(super) fn read(names: &LimitHeaders, headers: &HeaderMap) -> Self {
        let number = |name: &Option<String>| -> Option<u64> {
            let text = headers.get(name.as_deref()?)?.to_str().ok()?;
            text.trim().parse().ok()
        };
        let small = |name| number(name).map(|number| u32::try_from(number).unwrap_or(u32::MAX));
        // An interval of zero would block forever.
        let time = |name| number(name).map(|ms| Duration::from_millis(ms).min(DAY));
        Self {
            max: small(&names.max),
            remaining: small(&names.remaining),
            interval: time(&names.interval_ms),
            daily: number(&names.daily),
            daily_remaining: number(&names.daily_remaining),
            daily_reset: time(&names.daily_reset_ms),
        }
    }
}

/// The end of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct End {
    /// It was never sent.
    pub(super) unused: bool,
    /// The headers of its answer, if there was one.
    pub(super) told: Option<LimitHeaderValues>,
    /// It was rate limited; how long to pause, if stated.
    pub(super) refused: Option<Option<Duration>>,
    /// Whether the account answered without a 5xx; `None` if nobody waited for an answer.
    pub(super) alive: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderName;

    #[test]
    fn no_number_holds_a_connection_for_longer_than_a_day() {
        let names: LimitHeaders =
            serde_yaml::from_str("{ max: m, remaining: r, interval_ms: i, daily: d, daily_reset_ms: t }")
                .unwrap();
        for number in ["18446744073709551615", "1000000000", "99999999999999999999", "-1", "1e9", "many", ""]
        {
            let header = |name: &str| (name.parse::<HeaderName>().unwrap(), number.parse().unwrap());
            let headers = ["m", "r", "i", "d", "t"].map(header).into_iter().collect();
            let told = LimitHeaderValues::read(&names, &headers);
            assert!(told.interval.is_none_or(|time| time <= DAY), "{number}: {told:?}");
            assert!(told.daily_reset.is_none_or(|time| time <= DAY), "{number}: {told:?}");
        }
    }
}
