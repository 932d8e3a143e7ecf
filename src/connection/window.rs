//! The sliding window behind a budget: pure bookkeeping of which slots are taken and until when.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::rate::{BudgetSettings, Rate};

/// Slots in use. A slot is taken when a request is sent and free again one interval after its
/// answer: whichever moment the server counts by lies between the two, so that neither a fixed nor a
/// sliding window of its own can see more than it allows.
#[derive(Debug)]
pub(super) struct Window {
    rate: Option<Rate>,
    in_flight: u32,
    /// When each answered slot becomes free, ascending.
    cooling: VecDeque<Instant>,
    paused_until: Option<Instant>,
    daily: Option<Daily>,
}

#[derive(Debug)]
struct Daily {
    limit: u64,
    left: u64,
    /// The day's budget is new at this time; unknown until a header or the first request tells.
    resets: Option<Instant>,
}

/// What an answer's headers say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub max: Option<u32>,
    pub remaining: Option<u32>,
    pub interval: Option<Duration>,
    pub daily: Option<u64>,
    pub daily_remaining: Option<u64>,
    pub daily_reset: Option<Duration>,
}

const DAY: Duration = Duration::from_secs(86_400);
/// Pause after a 429 from an API whose interval is unknown.
const PAUSE: Duration = Duration::from_secs(10);

impl Window {
    pub(super) fn new(settings: BudgetSettings) -> Self {
        let daily = settings.daily.map(|limit| Daily { limit, left: limit, resets: None });
        Self { rate: settings.burst, in_flight: 0, cooling: VecDeque::new(), paused_until: None, daily }
    }

    /// `None`: a request may go now, and a slot is taken for it. Else how long to wait at least.
    pub(super) fn take(&mut self, now: Instant) -> Option<Duration> {
        let wait = self.wait(now);
        if wait.is_none() {
            self.in_flight += 1;
            if let Some(daily) = &mut self.daily {
                daily.left = daily.left.saturating_sub(1);
                daily.resets.get_or_insert(now + DAY);
            }
        }
        wait
    }

    fn wait(&mut self, now: Instant) -> Option<Duration> {
        self.tidy(now);
        if let Some(until) = self.paused_until {
            return Some(until - now);
        }
        if let Some(Daily { left: 0, resets, .. }) = &self.daily {
            return Some(resets.map_or(DAY, |at| at.saturating_duration_since(now)));
        }
        let rate = self.rate?;
        let taken = self.in_flight as usize + self.cooling.len();
        let allowed = rate.requests as usize;
        if taken < allowed {
            return None;
        }
        // With nothing cooling all slots are in flight; their answers wake the waiting.
        let over = (taken - allowed).min(self.cooling.len().saturating_sub(1));
        Some(self.cooling.get(over).map_or(rate.per, |free| *free - now))
    }

    fn tidy(&mut self, now: Instant) {
        while self.cooling.front().is_some_and(|free| *free <= now) {
            self.cooling.pop_front();
        }
        if self.paused_until.is_some_and(|until| until <= now) {
            self.paused_until = None;
        }
        if let Some(daily) = &mut self.daily
            && daily.resets.is_some_and(|at| at <= now)
        {
            daily.left = daily.limit;
            daily.resets = None;
        }
    }

    /// The slot taken last was not used.
    pub(super) fn untake(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if let Some(daily) = &mut self.daily {
            daily.left = daily.left.saturating_add(1).min(daily.limit);
        }
    }

    /// A request was answered or given up.
    pub(super) fn release(&mut self, now: Instant) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if let Some(rate) = self.rate {
            self.cooling.push_back(now + rate.per);
        }
    }

    /// Takes over what an answer said, while its own slot is still in flight.
    pub(super) fn learn(&mut self, told: Told, now: Instant) {
        if let Some(max) = told.max.filter(|max| *max > 0) {
            let per = told.interval.or(self.rate.map(|rate| rate.per));
            if let Some(per) = per.filter(|per| !per.is_zero()) {
                self.rate = Some(Rate { requests: max, per });
            }
        }
        self.tidy(now);
        if let (Some(remaining), Some(rate)) = (told.remaining, self.rate) {
            // Fewer left than we know of: somebody else spends from the same budget.
            let known = self.in_flight as usize + self.cooling.len();
            let free = (rate.requests as usize).saturating_sub(known);
            for _ in remaining as usize..free {
                self.cooling.push_back(now + rate.per);
            }
        }
        self.learn_daily(told, now);
    }

    fn learn_daily(&mut self, told: Told, now: Instant) {
        let resets = told.daily_reset.map(|after| now + after.min(DAY));
        match (&mut self.daily, told.daily_remaining) {
            (Some(daily), Some(left)) => {
                daily.limit = told.daily.unwrap_or(daily.limit);
                daily.left = left;
                daily.resets = resets.or(daily.resets);
            }
            (None, Some(left)) => {
                self.daily = Some(Daily { limit: told.daily.unwrap_or(left), left, resets });
            }
            (_, None) => {}
        }
    }

    /// The server refused for the rate: nothing goes for `pause`, or an interval; how long that is.
    pub(super) fn pause(&mut self, pause: Option<Duration>, now: Instant) -> Duration {
        let pause = pause.or(self.rate.map(|rate| rate.per)).unwrap_or(PAUSE);
        let until = now + pause;
        if self.paused_until.is_none_or(|known| known < until) {
            self.paused_until = Some(until);
        }
        pause
    }

    pub(super) fn rate(&self) -> Option<Rate> {
        self.rate
    }

    #[cfg(test)]
    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight
    }

    pub(super) fn daily_limit(&self) -> Option<u64> {
        self.daily.as_ref().map(|daily| daily.limit)
    }

    #[cfg(test)]
    fn daily_left(&self) -> Option<u64> {
        self.daily.as_ref().map(|daily| daily.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn window(rate: &str) -> Window {
        Window::new(BudgetSettings { burst: Some(rate.parse().unwrap()), daily: None })
    }

    #[test]
    fn a_slot_is_free_one_interval_after_the_answer() {
        let start = Instant::now();
        let mut window = window("2/10s");
        assert_eq!(window.take(start), None);
        assert_eq!(window.take(start), None);
        assert_eq!(window.take(start), Some(10 * SECOND));
        window.release(start + SECOND);
        assert_eq!(window.take(start + 5 * SECOND), Some(6 * SECOND));
        assert_eq!(window.take(start + 11 * SECOND), None);
    }

    #[test]
    fn headers_win_and_tell_of_others() {
        let start = Instant::now();
        let mut window = window("100/10s");
        assert_eq!(window.take(start), None);
        let told = Told { max: Some(25), remaining: Some(3), interval: Some(5 * SECOND), ..Told::default() };
        window.learn(told, start);
        window.release(start);
        assert_eq!(window.rate().unwrap().to_string(), "25/5s");
        for _ in 0..3 {
            assert_eq!(window.take(start), None);
        }
        assert_eq!(window.take(start), Some(5 * SECOND));
    }

    #[test]
    fn a_refusal_pauses_and_an_empty_day_waits_for_the_next() {
        let start = Instant::now();
        let mut window = window("100/10s");
        window.pause(None, start);
        window.pause(Some(SECOND), start);
        assert_eq!(window.take(start), Some(10 * SECOND));
        assert_eq!(window.take(start + 10 * SECOND), None);
        let told = Told {
            daily_remaining: Some(0),
            daily_reset: Some(3600 * SECOND),
            daily: Some(7),
            ..Told::default()
        };
        window.learn(told, start);
        assert_eq!(window.take(start + 20 * SECOND), Some(3580 * SECOND));
        assert_eq!(window.take(start + 3600 * SECOND), None);
        assert_eq!(window.daily_left(), Some(6));
    }

    #[test]
    fn a_day_without_headers_is_counted() {
        let start = Instant::now();
        let mut window = Window::new(BudgetSettings { burst: None, daily: Some(2) });
        assert_eq!(window.take(start), None);
        assert_eq!(window.take(start), None);
        assert_eq!(window.take(start), Some(DAY));
        assert_eq!(window.take(start + DAY), None);
    }
}
