//! The sliding window of a burst limit. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Breaker;
use super::foreign_usage::{ForeignUsage, Left};
use super::limit_headers::{End, LimitHeaderValues};
use super::monotonic_time::MonotonicTime;
use super::rate::Rate;

/// Pause after a 429 of an API with an unknown interval.
const PAUSE: Duration = Duration::from_secs(10);
/// Longest wait before checking again for an answer.
const RECHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Slots of higher limits than this become free in this many steps per interval, which bounds the size of the state.
const STEPS: u32 = 200;
/// Once this share of an interval's requests was sent, those that nobody waits for are spread over it.
const AT_ONCE: f64 = 0.5;
/// Their pace, as a share of the interval, so that a delay can be made up for.
const SPREAD: f64 = 0.9;
/// The longest delay that is made up for at once, in intervals.
const MAKE_UP: f64 = 0.05;

/// Slots in use. A slot is taken when a request is sent and becomes free one interval after its answer, or when a later
/// answer shows that the server does not count its request any more. The server counts the request at some time between
/// sending and answer, so neither a fixed nor a sliding window of its own can exceed its limit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Window {
    rate: Option<Rate>,
    flights: Vec<Flight>,
    /// When slots of answered requests become free, ascending, with their number.
    cooling: VecDeque<(MonotonicTime, u32)>,
    /// So many of the first of these are free already, as the server has stated.
    #[serde(default)]
    freed: u32,
    /// When the next request that nobody waits for may be sent, if they are spread.
    #[serde(default)]
    paced_until: Option<MonotonicTime>,
    paused_until: Option<MonotonicTime>,
    /// The server's count is unknown, at the start or after a refusal: a single request is sent first.
    unsure: bool,
    /// The remaining requests stated by the last answer.
    left: Option<Left>,
    /// The foreign client that uses the same counter, if any.
    others: Option<ForeignUsage>,
    /// The last slot number.
    last: u64,
    /// Consecutive failures in all processes.
    failures: u32,
    /// The circuit breaker is open until then; a single probing request follows.
    shut_until: Option<MonotonicTime>,
    probing: bool,
}

/// A request in flight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Flight {
    slot: u64,
    sent: MonotonicTime,
    /// The requests of the interval before, with this one.
    #[serde(default)]
    recent: u32,
    /// Its process counts as dead then.
    until: Option<MonotonicTime>,
}

/// Why a request may not be sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The limit is used up for this long.
    Wait(Duration),
    /// The circuit breaker is open for this long.
    BreakerOpen(Duration),
}

impl Window {
    pub(super) fn new(rate: Option<Rate>) -> Self {
        Self { rate, unsure: rate.is_some(), ..Self::default() }
    }

    /// When a request may be sent: at `now` or within `horizon`. Where somebody waits for it, it `is_urgent`.
    pub(super) fn check(
        &self,
        is_urgent: bool,
        now: MonotonicTime,
        horizon: Duration,
    ) -> Result<MonotonicTime, Refusal> {
        if let Some(until) = self.shut_until.filter(|until| *until > now) {
            return Err(Refusal::BreakerOpen(now.until(until)));
        }
        if let Some(until) = self.paused_until.filter(|until| *until > now) {
            return Err(Refusal::Wait(now.until(until)));
        }
        if self.unsure && !self.flights.is_empty() {
            return Err(Refusal::Wait(RECHECK_INTERVAL));
        }
        let Some(rate) = self.rate else { return Ok(now) };
        let (taken, allowed) = (self.taken(), rate.requests);
        let paced = self.paced_until.filter(|_| !is_urgent && self.is_busy(rate)).unwrap_or(now);
        if taken >= allowed {
            // If no slot is cooling down, all are in flight, and their answers wake the waiters.
            let Some(free) = self.free_at(taken - allowed) else {
                return Err(Refusal::Wait(rate.per.min(RECHECK_INTERVAL)));
            };
            let free = free.max(paced);
            let soon = taken == allowed && free <= now.after(horizon) && self.others.is_none();
            return if soon { Ok(free) } else { Err(Refusal::Wait(now.until(free))) };
        }
        if paced > now {
            let soon = paced <= now.after(horizon) && self.others.is_none();
            return if soon { Ok(paced) } else { Err(Refusal::Wait(now.until(paced))) };
        }
        if let Some(others) = &self.others {
            let spread = others.check(self.left.as_ref(), self.flights.len(), rate.per, now);
            spread.map_err(Refusal::Wait)?;
        }
        Ok(now)
    }

    /// Takes a slot for a request at `start`, as returned by [`Window::check`].
    pub(super) fn take(
        &mut self,
        is_urgent: bool,
        start: MonotonicTime,
        now: MonotonicTime,
        until: Option<MonotonicTime>,
    ) -> u64 {
        match self.rate.filter(|rate| self.is_busy(*rate)) {
            Some(rate) if !is_urgent => {
                let pace = rate.per.mul_f64(SPREAD / f64::from(rate.requests));
                let earliest = start.before(rate.per.mul_f64(MAKE_UP));
                self.paced_until = Some(self.paced_until.unwrap_or(earliest).max(earliest).after(pace));
            }
            Some(_) => {}
            None => self.paced_until = None,
        }
        if start > now && self.rate.is_some_and(|rate| self.taken() >= rate.requests) {
            self.take_first_free();
        }
        if self.shut_until.is_some() {
            // This request probes; the others wait for its result.
            self.shut_until = Some(now.after(Breaker::pause(self.failures)));
            self.probing = true;
        }
        self.last += 1;
        let until = until.map(|until| until.after(self.interval()));
        let recent = self.recent().saturating_add(1);
        self.flights.push(Flight { slot: self.last, sent: start, recent, until });
        self.last
    }

    /// Drops expired state; returns the number of requests in flight of dead processes.
    pub(super) fn drop_expired(&mut self, now: MonotonicTime) -> u64 {
        while let Some((_, slots)) = self.cooling.pop_front_if(|(free, _)| *free <= now) {
            self.freed = self.freed.saturating_sub(slots);
        }
        self.paused_until = self.paused_until.filter(|until| *until > now);
        self.others = self.others.take().filter(|others| others.until > now);
        let per = self.interval();
        self.left = self.left.take().filter(|left| left.at.after(per) > now);
        let before = self.flights.len();
        self.flights.retain(|flight| flight.until.is_none_or(|until| until > now));
        (before - self.flights.len()) as u64
    }

    /// Ends a request; returns when it was sent, if it was in flight.
    pub(super) fn end(&mut self, slot: u64, end: &End, now: MonotonicTime) -> Option<MonotonicTime> {
        let flight = self.flights.iter().find(|flight| flight.slot == slot).cloned();
        let sent = flight.as_ref().map(|flight| flight.sent);
        if let Some(told) = &end.told {
            self.learn(told, flight.as_ref(), end.refused.is_some(), now);
            match end.refused {
                Some(pause) => self.refuse(pause, told, now),
                None => self.unsure = false,
            }
        }
        self.flights.retain(|flight| flight.slot != slot);
        match sent {
            Some(_) if !end.unused => self.cool(1, now),
            // It was granted in advance and its slot is not free yet.
            Some(start) if start > now => self.cool_until(start, 1),
            _ => {}
        }
        if let Some(alive) = end.alive {
            self.report(alive, now);
        }
        sent
    }

    /// Learns from an answer while its own slot is still in flight.
    fn learn(
        &mut self,
        told: &LimitHeaderValues,
        flight: Option<&Flight>,
        was_refused: bool,
        now: MonotonicTime,
    ) {
        // If nothing was counted yet, the server's count may be our own.
        let fresh = self.rate.is_none() || self.unsure || flight.is_none();
        if let Some(max) = told.max.filter(|max| *max > 0) {
            let per = told.interval.or(self.rate.map(|rate| rate.per));
            if let Some(per) = per.filter(|per| !per.is_zero()) {
                self.rate = Some(Rate { requests: max, per });
            }
        }
        let (Some(remaining), Some(rate)) = (told.remaining, self.rate) else { return };
        let counted = rate.requests.saturating_sub(remaining);
        let beyond = counted.saturating_sub(self.recent_at_most(flight));
        if beyond > 0 {
            // Fewer remain than we know of: a foreign client uses the same counter.
            self.cool(beyond, now);
            if !fresh {
                self.others = Some(ForeignUsage::seen(self.others.take(), false, rate.per, now));
            }
        }
        let sent = flight.map(|flight| flight.sent);
        self.left = Some(Left::told(self.left.take(), remaining, sent, now));
        if let Some(sent) = sent.filter(|_| !was_refused && self.others.is_none()) {
            self.free(counted, sent, rate);
        }
    }

    /// Frees the slots of requests that the server does not count any more: it `counted` so many when it received a
    /// request that was `sent` then. It has counted others since, if they were under way at that time.
    fn free(&mut self, counted: u32, sent: MonotonicTime, rate: Rate) {
        let answered_later = self.cooling.iter().rev().take_while(|(free, _)| *free > sent.after(rate.per));
        let since = answered_later.map(|(_, slots)| *slots).fold(0, u32::saturating_add);
        let others = u32::try_from(self.flights.len()).unwrap_or(u32::MAX).saturating_sub(1);
        let most = counted.saturating_add(since).saturating_add(others);
        self.freed = self.freed.max(self.recent().saturating_sub(most));
    }

    /// Handles a 429: nothing is sent for `pause` or an interval, then a single request.
    fn refuse(&mut self, pause: Option<Duration>, told: &LimitHeaderValues, now: MonotonicTime) {
        let of_day = told.daily_remaining == Some(0);
        let interval = told.interval.filter(|_| !of_day);
        let pause = pause.or(interval).or(self.rate.map(|rate| rate.per)).unwrap_or(PAUSE);
        // Requests sent together are refused together.
        if told.remaining == Some(0) && !of_day && self.paused_until.is_none() {
            // Our own requests alone never exceed the limit.
            self.others = Some(ForeignUsage::seen(self.others.take(), true, pause, now));
        }
        self.paused_until = self.paused_until.max(Some(now.after(pause)));
        (self.unsure, self.freed) = (true, 0);
    }

    fn report(&mut self, alive: bool, now: MonotonicTime) {
        if alive {
            (self.failures, self.shut_until, self.probing) = (0, None, false);
        } else if self.shut_until.is_none() || std::mem::take(&mut self.probing) {
            // Requests in flight when the breaker opened do not count.
            self.failures = self.failures.saturating_add(1);
            if Breaker::opens(self.failures) {
                self.shut_until = Some(now.after(Breaker::pause(self.failures)));
            }
        }
    }

    /// Makes the next request a single one, because the server's count is unknown.
    pub(super) fn probe_first(&mut self) {
        self.unsure = self.rate.is_some();
    }

    /// Restores after a restart: requests in flight and `reserved` ones count as just sent.
    pub(super) fn restore(&mut self, reserved: u64, now: MonotonicTime) {
        let lost = self.flights.len() as u64 + reserved;
        self.flights.clear();
        self.freed = 0;
        self.cool(u32::try_from(lost).unwrap_or(u32::MAX), now);
        self.left = None;
        self.probe_first();
        (self.failures, self.shut_until, self.probing) = (0, None, false);
    }

    /// Whether requests are counted.
    pub(super) fn counts(&self) -> bool {
        self.rate.is_some() || self.unsure || self.shut_until.is_some()
    }

    /// How many requests may be written ahead.
    pub(super) fn block(&self) -> u64 {
        self.rate.map_or(u64::MAX, |rate| {
            let second = f64::from(rate.requests) / rate.per.as_secs_f64();
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a small whole number"
            )]
            let tenth = (second / 10.0).min(1e6) as u64;
            u64::from(rate.requests / 10).max(tenth).clamp(1, u64::from(rate.requests))
        })
    }

    /// Renews those of `slots` that are in flight.
    pub(super) fn extend(&mut self, slots: &dyn Fn(u64) -> bool, until: MonotonicTime) {
        let until = until.after(self.interval());
        self.flights
            .iter_mut()
            .filter(|flight| slots(flight.slot))
            .for_each(|flight| flight.until = Some(until));
    }

    /// Limits all times to plausible ones, whatever another clock stated.
    pub(super) fn clamp_times(&mut self, now: MonotonicTime) {
        let per = self.interval();
        let latest = now.after(per + per / STEPS);
        self.cooling.iter_mut().for_each(|(free, _)| *free = latest.min(*free));
        self.paced_until = self.paced_until.map(|at| at.min(latest));
        self.left = self.left.take().map(|left| Left { at: left.at.min(now), ..left });
    }

    /// Shifts all times by a number of microseconds.
    pub(super) fn shift(&mut self, by: i64) {
        let shifted =
            |at: &mut MonotonicTime| *at = MonotonicTime::from_micros(at.micros().saturating_add(by));
        self.cooling.iter_mut().for_each(|(free, _)| shifted(free));
        self.flights.iter_mut().for_each(|flight| shifted(&mut flight.sent));
        self.paused_until.iter_mut().chain(&mut self.paced_until).for_each(shifted);
        self.others.iter_mut().for_each(|others| shifted(&mut others.until));
    }

    /// The number of slots that are not free.
    fn taken(&self) -> u32 {
        self.recent().saturating_sub(self.freed)
    }

    /// Whether so much of an interval was used that the rest is to be spread.
    fn is_busy(&self, rate: Rate) -> bool {
        f64::from(self.recent()) >= f64::from(rate.requests) * AT_ONCE
    }

    /// The most requests of an interval that the server can have counted while `flight` was under way.
    fn recent_at_most(&self, flight: Option<&Flight>) -> u32 {
        let at_most = |flight: &Flight| {
            let since = u32::try_from(self.last.saturating_sub(flight.slot)).unwrap_or(u32::MAX);
            flight.recent.saturating_add(since)
        };
        self.recent().max(flight.map_or(0, at_most))
    }

    /// The number of requests in flight, or answered at most an interval ago.
    fn recent(&self) -> u32 {
        let cooling = self.cooling.iter().map(|(_, count)| *count).fold(0, u32::saturating_add);
        cooling.saturating_add(u32::try_from(self.flights.len()).unwrap_or(u32::MAX))
    }

    /// When one more slot than `over` becomes free; the last slot's time if there are fewer.
    fn free_at(&self, over: u32) -> Option<MonotonicTime> {
        let over = over.saturating_add(self.freed);
        let mut seen = 0_u32;
        let enough = |(_, count): &&(MonotonicTime, u32)| {
            seen = seen.saturating_add(*count);
            seen > over
        };
        self.cooling.iter().find(enough).or(self.cooling.back()).map(|(free, _)| *free)
    }

    fn cool(&mut self, slots: u32, now: MonotonicTime) {
        let Some(rate) = self.rate.filter(|_| slots > 0) else { return };
        let free = now.after(rate.per);
        let free = if rate.requests > STEPS { free.rounded_up(rate.per / STEPS) } else { free };
        self.cool_until(free, slots);
    }

    fn cool_until(&mut self, free: MonotonicTime, slots: u32) {
        let place = self.cooling.partition_point(|(other, _)| *other < free);
        match self.cooling.get_mut(place) {
            Some((other, count)) if *other == free => *count = count.saturating_add(slots),
            _ => self.cooling.insert(place, (free, slots)),
        }
    }

    /// Takes the slot that becomes free first.
    fn take_first_free(&mut self) {
        if let Some((_, count)) = self.cooling.front_mut() {
            *count -= 1;
            if *count == 0 {
                self.cooling.pop_front();
            }
        }
    }

    fn interval(&self) -> Duration {
        self.rate.map_or(PAUSE, |rate| rate.per)
    }

    /// Whether the next answer will decide who may send.
    pub(super) fn awaits_answer(&self) -> bool {
        self.unsure || self.others.is_some()
    }

    pub(super) fn rate(&self) -> Option<Rate> {
        self.rate
    }

    /// Applies the lower of both rates.
    pub(super) fn lower(&mut self, rate: Option<Rate>) {
        let per_second = |rate: Rate| f64::from(rate.requests) / rate.per.as_secs_f64();
        match (self.rate, rate) {
            (Some(known), Some(rate)) if per_second(known) <= per_second(rate) => {}
            (_, Some(rate)) => self.rate = Some(rate),
            (_, None) => {}
        }
    }

    #[cfg(test)]
    pub(super) fn in_flight(&self) -> usize {
        self.flights.len()
    }
}

#[cfg(test)]
mod tests;
