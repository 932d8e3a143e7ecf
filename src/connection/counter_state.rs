//! What is known of the counters of a connection, from the store and its settings.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::counter_snapshot::Snapshot;
use super::daily_limit;
use super::limit_headers::DAY;
use super::monotonic_time::MonotonicTime;
use super::rate::{BudgetSettings, Rate};

/// The counters of a connection. Those with the same `account` share a day, and those with the same `window` of it a
/// burst as well. The names contain no secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CounterState {
    /// Identifies the daily counter.
    pub account: String,
    /// Identifies the burst counter within the account.
    pub window: String,
    /// Requests per interval, if limited.
    pub burst: Option<Rate>,
    /// The rate is stored and differs from the settings, so the API has stated it.
    pub burst_is_learned: bool,
    /// Requests a day, if limited.
    pub daily: Option<u64>,
    /// The daily limit is stored and differs from the settings.
    pub daily_is_learned: bool,
    /// What is left of the day, if something was stored about it. Requests that may have been sent count.
    pub remaining: Option<u64>,
    /// When the day that is counted began and ends, by the wall clock.
    pub period: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

impl CounterState {
    /// The counters called `account` and `window`, as `known` at the latest and with the configured `settings`.
    pub(super) fn new(
        account: &str,
        window: &str,
        settings: BudgetSettings,
        known: Snapshot,
        now: DateTime<Utc>,
    ) -> Self {
        let Snapshot { counters, reserved, at, wall, .. } = known;
        let known = counters.settings(window);
        let shift = wall.saturating_sub(at.micros());
        let time = |time: MonotonicTime| DateTime::from_timestamp_micros(time.micros().saturating_add(shift));
        let ends = counters.day().resets().and_then(time);
        let is_over = ends.is_some_and(|ends| ends <= now);
        let remaining = known.daily.map(|limit| match is_over {
            true => limit,
            false => counters.day().free().saturating_sub(reserved),
        });
        let day = TimeDelta::from_std(DAY).unwrap_or_default();
        Self {
            account: account.to_owned(),
            window: window.to_owned(),
            burst: known.burst.or(settings.burst),
            burst_is_learned: known.burst.is_some() && known.burst != settings.burst,
            daily: known.daily.or(settings.daily),
            daily_is_learned: known.daily.is_some() && known.daily != settings.daily,
            remaining,
            period: ends.filter(|_| !is_over).map(|ends| (ends - day, ends)),
        }
    }

    /// How many requests of a day are kept for those that somebody waits for: polls, backfills and the runs of both wait
    /// when no more are left.
    pub fn reserve(&self) -> Option<u64> {
        self.daily.map(daily_limit::reserve)
    }

    /// Requests of the counted day so far.
    pub fn used(&self) -> Option<u64> {
        Some(self.daily?.saturating_sub(self.remaining?))
    }

    /// When the day's requests are used up, if they are used as fast as so far; `None` if they last until its end, or
    /// if too little is known. The first minutes of a day say nothing.
    pub fn runs_dry(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        const SHORTEST: Duration = Duration::from_secs(600);
        let (began, ends) = self.period?;
        let (used, remaining) = (self.used()?, self.remaining?);
        if remaining == 0 {
            return Some(now);
        }
        let elapsed = (now - began).to_std().ok().filter(|elapsed| *elapsed >= SHORTEST)?;
        if used == 0 {
            return None;
        }
        let left = elapsed.as_secs_f64() * remaining as f64 / used as f64;
        let dry =
            now.checked_add_signed(TimeDelta::from_std(Duration::try_from_secs_f64(left).ok()?).ok()?)?;
        (dry < ends).then_some(dry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn settings() -> BudgetSettings {
        BudgetSettings { burst: Some("100/10s".parse().unwrap()), daily: Some(1000) }
    }

    #[test]
    fn without_a_store_the_settings_apply() {
        let state = CounterState::new("a", "w", settings(), Snapshot::default(), at("2026-11-29T12:00:00Z"));
        assert_eq!((state.daily, state.remaining, state.daily_is_learned), (Some(1000), None, false));
        assert_eq!(state.burst.unwrap().to_string(), "100/10s");
        assert_eq!((state.used(), state.runs_dry(at("2026-11-29T12:00:00Z"))), (None, None));
        assert_eq!(state.reserve(), Some(10));
    }

    fn state(remaining: u64, ends: &str) -> CounterState {
        let ends = at(ends);
        CounterState {
            account: "a".into(),
            window: "w".into(),
            burst: None,
            burst_is_learned: false,
            daily: Some(1000),
            daily_is_learned: true,
            remaining: Some(remaining),
            period: Some((ends - TimeDelta::hours(24), ends)),
        }
    }

    #[test]
    fn the_forecast_goes_on_as_fast_as_so_far() {
        let now = at("2026-11-29T12:00:00Z");
        // 750 in 12 hours: 250 last for 4 more.
        let state_now = state(250, "2026-11-30T00:00:00Z");
        assert_eq!(state_now.used(), Some(750));
        assert_eq!(state_now.runs_dry(now), Some(at("2026-11-29T16:00:00Z")));
        assert_eq!(state(600, "2026-11-30T00:00:00Z").runs_dry(now), None, "it lasts");
        assert_eq!(state(0, "2026-11-30T00:00:00Z").runs_dry(now), Some(now));
        assert_eq!(state(900, "2026-11-30T11:59:00Z").runs_dry(now), None, "a minute says nothing");
    }
}
