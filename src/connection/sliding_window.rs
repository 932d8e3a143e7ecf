//! The sliding window of a burst limit: which slots are taken and until when. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Breaker;
use super::foreign_usage::{ForeignUsage, Left};
use super::limit_headers::{End, LimitHeaderValues};
use super::monotonic_time::MonotonicTime;
use super::rate::Rate;

/// Pause after a 429 from an API whose interval is unknown.
const PAUSE: Duration = Duration::from_secs(10);
/// How long to wait at most before looking again for an answer under way.
const ANSWER: Duration = Duration::from_secs(1);
/// Slots become free in so many steps of an interval, so that any number of them is kept in few words.
const STEPS: u32 = 100;

/// Slots in use. A slot is taken when a request is sent and free again one interval after its
/// answer: whichever moment the server counts by lies between the two, so that neither a fixed nor a
/// sliding window of its own can see more than it allows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Window {
    rate: Option<Rate>,
    flights: Vec<Flight>,
    /// When answered slots become free, ascending, and how many do.
    cooling: VecDeque<(MonotonicTime, u32)>,
    paused_until: Option<MonotonicTime>,
    /// What the server has counted is not known, at the start or after a refusal: one request goes to see.
    unsure: bool,
    /// What the last answer said is left.
    left: Option<Left>,
    /// Somebody else spends from this counter.
    others: Option<ForeignUsage>,
    /// The number of the last slot.
    last: u64,
    /// Failures in a row, of all processes.
    failures: u32,
    /// It keeps failing: nothing goes before, and then one request, to see.
    shut_until: Option<MonotonicTime>,
    probing: bool,
}

/// A request under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Flight {
    slot: u64,
    sent: MonotonicTime,
    /// The process that sent it is taken to be gone then.
    until: Option<MonotonicTime>,
}

/// Why a request may not go now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The limits are used up for so long.
    Wait(Duration),
    /// It keeps failing and is left alone for so long.
    LeftAlone(Duration),
}

impl Window {
    pub(super) fn new(rate: Option<Rate>) -> Self {
        Self { rate, unsure: rate.is_some(), ..Self::default() }
    }

    /// When a request may go: at `now`, or within `horizon` of it.
    pub(super) fn check(&self, now: MonotonicTime, horizon: Duration) -> Result<MonotonicTime, Refusal> {
        if let Some(until) = self.shut_until.filter(|until| *until > now) {
            return Err(Refusal::LeftAlone(now.until(until)));
        }
        if let Some(until) = self.paused_until.filter(|until| *until > now) {
            return Err(Refusal::Wait(now.until(until)));
        }
        if self.unsure && !self.flights.is_empty() {
            return Err(Refusal::Wait(ANSWER));
        }
        let Some(rate) = self.rate else { return Ok(now) };
        let (taken, allowed) = (self.taken(), rate.requests);
        if taken >= allowed {
            // With nothing cooling all slots are in flight; their answers wake the waiting.
            let Some(free) = self.frees(taken - allowed) else {
                return Err(Refusal::Wait(rate.per.min(ANSWER)));
            };
            let soon = taken == allowed && free <= now.after(horizon) && self.others.is_none();
            return if soon { Ok(free) } else { Err(Refusal::Wait(now.until(free))) };
        }
        if let Some(others) = &self.others {
            let spread = others.check(self.left.as_ref(), self.flights.len(), rate.per, now);
            spread.map_err(Refusal::Wait)?;
        }
        Ok(now)
    }

    /// Takes a slot for a request that goes at `start`, as [`Window::check`] said.
    pub(super) fn take(
        &mut self,
        start: MonotonicTime,
        now: MonotonicTime,
        until: Option<MonotonicTime>,
    ) -> u64 {
        if start > now {
            self.thaw();
        }
        if self.shut_until.is_some() {
            // One goes to see; the others wait for what it finds.
            self.shut_until = Some(now.after(Breaker::pause(self.failures)));
            self.probing = true;
        }
        self.last += 1;
        let until = until.map(|until| until.after(self.interval()));
        self.flights.push(Flight { slot: self.last, sent: start, until });
        self.last
    }

    /// Forgets what is past; how many requests under way were of processes that are gone.
    pub(super) fn tidy(&mut self, now: MonotonicTime) -> u64 {
        while self.cooling.front().is_some_and(|(free, _)| *free <= now) {
            self.cooling.pop_front();
        }
        self.paused_until = self.paused_until.filter(|until| *until > now);
        self.others = self.others.take().filter(|others| others.until > now);
        let per = self.interval();
        self.left = self.left.take().filter(|left| left.at.after(per) > now);
        let before = self.flights.len();
        self.flights.retain(|flight| flight.until.is_none_or(|until| until > now));
        (before - self.flights.len()) as u64
    }

    /// A request is done; when it was sent, if it was still under way.
    pub(super) fn end(&mut self, slot: u64, end: &End, now: MonotonicTime) -> Option<MonotonicTime> {
        let sent = self.flights.iter().find(|flight| flight.slot == slot).map(|flight| flight.sent);
        if let Some(told) = &end.told {
            self.learn(told, sent, now);
            match end.refused {
                Some(pause) => self.refuse(pause, told, now),
                None => self.unsure = false,
            }
        }
        self.flights.retain(|flight| flight.slot != slot);
        match sent {
            Some(_) if !end.unused => self.cool(1, now),
            // It was given ahead, and is not free yet.
            Some(start) if start > now => self.cool_until(start, 1),
            _ => {}
        }
        if let Some(alive) = end.alive {
            self.report(alive, now);
        }
        sent
    }

    /// Takes over what an answer said, while its own slot is still in flight.
    fn learn(&mut self, told: &LimitHeaderValues, sent: Option<MonotonicTime>, now: MonotonicTime) {
        // Where nothing was counted yet, what is counted there may be our own.
        let fresh = self.rate.is_none() || self.unsure || sent.is_none();
        if let Some(max) = told.max.filter(|max| *max > 0) {
            let per = told.interval.or(self.rate.map(|rate| rate.per));
            if let Some(per) = per.filter(|per| !per.is_zero()) {
                self.rate = Some(Rate { requests: max, per });
            }
        }
        let (Some(remaining), Some(rate)) = (told.remaining, self.rate) else { return };
        let beyond = rate.requests.saturating_sub(remaining).saturating_sub(self.taken());
        if beyond > 0 {
            // Fewer left than we know of: somebody else spends from the same counter.
            self.cool(beyond, now);
            if !fresh {
                self.others = Some(ForeignUsage::seen(self.others.take(), false, rate.per, now));
            }
        }
        self.left = Some(Left::told(self.left.take(), remaining, sent, now));
    }

    /// The server refused for the rate: nothing goes for `pause`, or an interval, and then one goes to see.
    fn refuse(&mut self, pause: Option<Duration>, told: &LimitHeaderValues, now: MonotonicTime) {
        let of_day = told.daily_remaining == Some(0);
        let interval = told.interval.filter(|_| !of_day);
        let pause = pause.or(interval).or(self.rate.map(|rate| rate.per)).unwrap_or(PAUSE);
        // Several that went together are refused together.
        if told.remaining == Some(0) && !of_day && self.paused_until.is_none() {
            // Our own requests alone never come to that.
            self.others = Some(ForeignUsage::seen(self.others.take(), true, pause, now));
        }
        self.paused_until = self.paused_until.max(Some(now.after(pause)));
        self.unsure = true;
    }

    fn report(&mut self, alive: bool, now: MonotonicTime) {
        if alive {
            (self.failures, self.shut_until, self.probing) = (0, None, false);
        } else if self.shut_until.is_none() || std::mem::take(&mut self.probing) {
            // Requests that were under way when it was shut say nothing new.
            self.failures = self.failures.saturating_add(1);
            if Breaker::opens(self.failures) {
                self.shut_until = Some(now.after(Breaker::pause(self.failures)));
            }
        }
    }

    /// One request is to go to see what the server has counted, before the others follow.
    pub(super) fn doubt(&mut self) {
        self.unsure = self.rate.is_some();
    }

    /// After a start of the program: what was under way, and what may have been sent of `reserved` requests,
    /// counts as sent just now.
    pub(super) fn restore(&mut self, reserved: u64, now: MonotonicTime) {
        let lost = self.flights.len() as u64 + reserved;
        self.flights.clear();
        self.cool(u32::try_from(lost).unwrap_or(u32::MAX), now);
        self.left = None;
        self.doubt();
        (self.failures, self.shut_until, self.probing) = (0, None, false);
    }

    /// Whether its requests have to be counted.
    pub(super) fn counts(&self) -> bool {
        self.rate.is_some() || self.unsure || self.shut_until.is_some()
    }

    /// How many requests may be written down ahead without wasting much.
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

    /// The processes that sent those of `slots` that are still under way are there.
    pub(super) fn extend(&mut self, slots: &dyn Fn(u64) -> bool, until: MonotonicTime) {
        let until = until.after(self.interval());
        self.flights
            .iter_mut()
            .filter(|flight| slots(flight.slot))
            .for_each(|flight| flight.until = Some(until));
    }

    /// Nothing lies further ahead than it can, whatever somebody else's clock said.
    pub(super) fn bound(&mut self, now: MonotonicTime) {
        let per = self.interval();
        let latest = now.after(per + per / STEPS);
        self.cooling.iter_mut().for_each(|(free, _)| *free = latest.min(*free));
        self.left = self.left.take().map(|left| Left { at: left.at.min(now), ..left });
    }

    /// All times by a clock that is ahead by so many microseconds.
    pub(super) fn shift(&mut self, by: i64) {
        let shifted = |at: &mut MonotonicTime| *at = MonotonicTime::of_micros(at.micros().saturating_add(by));
        self.cooling.iter_mut().for_each(|(free, _)| shifted(free));
        self.flights.iter_mut().for_each(|flight| shifted(&mut flight.sent));
        self.paused_until.iter_mut().for_each(shifted);
        self.others.iter_mut().for_each(|others| shifted(&mut others.until));
    }

    /// Slots that are not free.
    fn taken(&self) -> u32 {
        let cooling = self.cooling.iter().map(|(_, count)| *count).fold(0, u32::saturating_add);
        cooling.saturating_add(u32::try_from(self.flights.len()).unwrap_or(u32::MAX))
    }

    /// When one more slot than `over` is free; the last one's time if there are not so many.
    fn frees(&self, over: u32) -> Option<MonotonicTime> {
        let mut seen = 0_u32;
        let enough = |(_, count): &&(MonotonicTime, u32)| {
            seen = seen.saturating_add(*count);
            seen > over
        };
        self.cooling.iter().find(enough).or(self.cooling.back()).map(|(free, _)| *free)
    }

    fn cool(&mut self, slots: u32, now: MonotonicTime) {
        let Some(rate) = self.rate.filter(|_| slots > 0) else { return };
        self.cool_until(now.after(rate.per).rounded_up(rate.per / STEPS), slots);
    }

    fn cool_until(&mut self, free: MonotonicTime, slots: u32) {
        let place = self.cooling.partition_point(|(other, _)| *other < free);
        match self.cooling.get_mut(place) {
            Some((other, count)) if *other == free => *count = count.saturating_add(slots),
            _ => self.cooling.insert(place, (free, slots)),
        }
    }

    /// The slot that is free first is taken already.
    fn thaw(&mut self) {
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

    /// Whether the next answer decides who may go.
    pub(super) fn awaits_answer(&self) -> bool {
        self.unsure || self.others.is_some()
    }

    pub(super) fn rate(&self) -> Option<Rate> {
        self.rate
    }

    /// The lower of both rates counts.
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
