//! The counters of a workspace: which connections they count together, and what these send.

use indexmap::IndexMap;

use super::Estimate;
use super::advice::advice;
use super::burst::peaks;
use super::input::{AccountCounters, Input, LimitFrom, Period};
use super::model::{Burst, CounterPlan, Use};
use super::timing::{DAY, clock};
use super::uses::PlannedUse;

/// Connections that share a counter.
struct Shared<'a> {
    names: Vec<String>,
    first: &'a AccountCounters,
    uses: Vec<&'a PlannedUse>,
}

/// The daily counters that `uses` are counted by.
pub(super) fn daily(input: &Input<'_>, uses: &[PlannedUse]) -> Vec<CounterPlan> {
    let shared = shared(input, uses, |counters| counters.day.clone());
    shared.into_iter().map(|shared| shared.day(input)).collect()
}

/// The counters of bursts.
pub(super) fn bursts(input: &Input<'_>, uses: &[PlannedUse]) -> Vec<Burst> {
    let shared = shared(input, uses, |counters| format!("{} {}", counters.day, counters.window));
    shared.into_iter().map(|shared| shared.burst(input)).collect()
}

/// The connections that are used, by the counter they share.
fn shared<'a>(
    input: &'a Input<'_>,
    uses: &'a [PlannedUse],
    key: impl Fn(&AccountCounters) -> String,
) -> Vec<Shared<'a>> {
    let mut all: IndexMap<String, Shared<'a>> = IndexMap::new();
    for (name, counters) in input.accounts {
        let mine: Vec<&PlannedUse> = uses.iter().filter(|used| used.shown.connection == *name).collect();
        if mine.is_empty() {
            continue;
        }
        let new = || Shared { names: Vec::new(), first: counters, uses: Vec::new() };
        let shared = all.entry(key(counters)).or_insert_with(new);
        shared.names.push(name.clone());
        shared.uses.extend(mine);
        // The lower of two configured limits applies.
        let stricter =
            |one: Option<u64>, other: Option<u64>| one.zip(other).is_none_or(|(one, other)| one < other);
        if counters.daily.is_some() && stricter(counters.daily, shared.first.daily) {
            shared.first = counters;
        }
    }
    all.into_values().collect()
}

impl Shared<'_> {
    /// Expected requests in each second.
    fn seconds(&self) -> Vec<f64> {
        seconds(&self.uses, |_| true)
    }

    /// The second from which on some requests have to wait for the next day; with `at_start` on the day on which hob
    /// starts. Those that nobody waits for leave a reserve.
    fn dry(&self, at_start: bool) -> Option<usize> {
        let limit = self.first.daily? as f64;
        let usable = limit - self.first.reserve as f64;
        let (mut all, mut unhurried) = (self.seconds(), seconds(&self.uses, |used| !used.is_urgent));
        if at_start {
            for used in &self.uses {
                all[0] += used.at_start.expected;
                unhurried[0] += if used.is_urgent { 0.0 } else { used.at_start.expected };
            }
        }
        let mut so_far = 0.0;
        all.into_iter().zip(unhurried).position(|(all, unhurried)| {
            so_far += all;
            so_far > limit + 0.5 || unhurried > 0.0 && so_far > usable + 0.5
        })
    }

    fn day(self, input: &Input<'_>) -> CounterPlan {
        let calls: Estimate = self.uses.iter().map(|used| used.shown.calls).sum();
        let at_start: Estimate = self.uses.iter().map(|used| used.at_start).sum();
        let first_day = calls + at_start;
        let limit = self.first.daily;
        let reserve = limit.map(|_| self.first.reserve);
        // What polls have to leave is not theirs to plan with.
        let is_urgent = self.uses.iter().all(|used| used.is_urgent);
        let usable = limit.map(|limit| if is_urgent { limit } else { limit - self.first.reserve.min(limit) });
        let seconds = self.seconds();
        let dry = self.dry(true);
        let mut uses: Vec<Use> = self.uses.iter().map(|used| used.shown.clone()).collect();
        uses.sort_by(|one, other| other.calls.expected.total_cmp(&one.calls.expected));
        let hour = |hour: &[f64]| (hour.iter().sum::<f64>() * 10.0).round() / 10.0;
        CounterPlan {
            connector: self.first.connector.clone(),
            connections: self.names.clone(),
            limit,
            limit_from: from(limit.is_some(), self.first.daily_from),
            calls,
            at_start,
            first_day,
            reserve,
            over: dry.is_some(),
            over_each_day: self.dry(false).is_some(),
            runs_dry: dry.map(|second| clock(second)[..5].to_owned()),
            hours: match input.period {
                Period::Day(_) => seconds.chunks(3600).map(hour).collect(),
                Period::Once => Vec::new(),
            },
            advice: advice(usable, calls, &self.uses, input),
            uses,
        }
    }

    fn burst(self, input: &Input<'_>) -> Burst {
        let rate = self.first.burst;
        let calls: f64 = self.uses.iter().map(|used| used.shown.calls.expected).sum();
        let mut peaks = peaks(&self.seconds(), rate);
        // The requests of one pass are sent on several days, if one does not allow them.
        if input.period == Period::Once && self.first.daily.is_some_and(|daily| calls > daily as f64 + 0.5) {
            peaks.iter_mut().for_each(|peak| peak.drained_after = None);
        }
        Burst {
            connector: self.first.connector.clone(),
            connections: self.names.clone(),
            limit: rate.map(|rate| rate.to_string()),
            limit_from: from(rate.is_some(), self.first.burst_from),
            peaks,
        }
    }
}

/// Expected requests of some `uses` in each second.
fn seconds(uses: &[&PlannedUse], which: impl Fn(&PlannedUse) -> bool) -> Vec<f64> {
    let mut seconds = vec![0.0; DAY];
    let some = uses.iter().filter(|used| which(used));
    some.for_each(|used| used.timing.spread(used.shown.calls.expected, &mut seconds));
    seconds
}

fn from(is_known: bool, from: LimitFrom) -> &'static str {
    if is_known { from.name() } else { LimitFrom::Unknown.name() }
}
