//! What an answer says about limits.

use std::time::Duration;

use reqwest::header::HeaderMap;

use crate::catalog::LimitHeaders;

/// What an answer's headers say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) max: Option<u32>,
    pub(super) remaining: Option<u32>,
    pub(super) interval: Option<Duration>,
    pub(super) daily: Option<u64>,
    pub(super) daily_remaining: Option<u64>,
    pub(super) daily_reset: Option<Duration>,
}

impl Told {
    /// By headers of those `names`.
    pub(super) fn read(names: &LimitHeaders, headers: &HeaderMap) -> Self {
        let number = |name: &Option<String>| -> Option<u64> {
            let text = headers.get(name.as_deref()?)?.to_str().ok()?;
            text.trim().parse().ok()
        };
        let small = |name| number(name).map(|number| u32::try_from(number).unwrap_or(u32::MAX));
        Self {
            max: small(&names.max),
            remaining: small(&names.remaining),
            interval: number(&names.interval_ms).map(Duration::from_millis),
            daily: number(&names.daily),
            daily_remaining: number(&names.daily_remaining),
            daily_reset: number(&names.daily_reset_ms).map(Duration::from_millis),
        }
    }
}

/// What became of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct End {
    /// It never left.
    pub(super) unused: bool,
    /// There was an answer; what it says.
    pub(super) told: Option<Told>,
    /// It was refused for the rate; for how long nothing is to go, if the answer says so.
    pub(super) refused: Option<Option<Duration>>,
    /// Whether the account answered, and not with a 5xx; `None`: nobody waited for an answer.
    pub(super) alive: Option<bool>,
}
