//! Polls that share their requests, and when they poll.

use chrono::{DateTime, TimeDelta, Utc};
use indexmap::IndexMap;

use super::Estimate;
use super::polls::Poll;
use super::timing::{Timing, end, second};
use crate::recipe::Every;

/// Polls are planned at least this far apart, in seconds; more frequent ones are counted by their rate.
const SHORTEST_PERIOD: f64 = 1.0;

/// Polls that share their requests.
#[derive(Debug)]
pub(super) struct PollGroup {
    pub(super) polls: Vec<Poll>,
}

/// How often a group polls.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rounds {
    /// Rounds a day.
    pub(super) count: f64,
    pub(super) timing: Timing,
}

impl PollGroup {
    /// The groups of these polls.
    pub(super) fn all(polls: Vec<Poll>) -> Vec<Self> {
        let mut groups: IndexMap<String, Vec<Poll>> = IndexMap::new();
        for poll in polls {
            groups.entry(poll.key.clone()).or_default().push(poll);
        }
        groups.into_values().map(|polls| Self { polls }).collect()
    }

    /// The recipes, each once.
    pub(super) fn recipes(&self) -> Vec<String> {
        let mut names: Vec<String> = self.polls.iter().map(|poll| poll.recipe.clone()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// The rounds of the day that begins at `start`, if hob starts then, and how many there are at least and at most. A
    /// poll that is due soon joins the round of another one.
    pub(super) fn rounds(&self, start: DateTime<Utc>) -> (Rounds, Estimate) {
        let expected = self.rounds_at(start, &|poll| Some(poll.periods(poll.found)?.expected));
        if !self.polls.iter().any(|poll| matches!(poll.every, Every::Adaptive { .. })) {
            let count = Estimate::exactly(expected.count);
            return (expected, count);
        }
        let least = self.rounds_at(start, &|poll| poll.periods(0.0)?.most).count;
        let most = self.rounds_at(start, &|poll| Some(poll.periods(0.0)?.least)).count;
        let count = Estimate::between(least, expected.count, Some(most));
        (expected, count)
    }

    /// The rounds if the seconds between two polls of an interval are `period`.
    fn rounds_at(&self, start: DateTime<Utc>, period: &dyn Fn(&Poll) -> Option<f64>) -> Rounds {
        let end = end(start);
        let first = |poll: &Poll| match &poll.every {
            Every::Cron(text) => text.cron.next_after(start - TimeDelta::seconds(1)),
            _ => Some(start),
        };
        let mut due: Vec<Option<DateTime<Utc>>> = self.polls.iter().map(first).collect();
        let mut at = Vec::new();
        while let Some(now) = due.iter().flatten().min().copied().filter(|now| *now < end) {
            at.push(second(start, now));
            for (poll, due) in self.polls.iter().zip(&mut due) {
                if due.is_some_and(|due| due - seconds(poll.early()) <= now) {
                    *due = next(poll, period(poll), now);
                }
            }
        }
        let shortest = self.polls.iter().filter_map(period).fold(f64::INFINITY, f64::min);
        let faster = if shortest < SHORTEST_PERIOD { SHORTEST_PERIOD / shortest } else { 1.0 };
        Rounds { count: at.len() as f64 * faster, timing: Timing::At(at) }
    }
}

fn next(poll: &Poll, period: Option<f64>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    match (&poll.every, period) {
        (Every::Cron(text), _) => text.cron.next_after(now),
        (_, Some(period)) => now.checked_add_signed(seconds(period.max(SHORTEST_PERIOD))),
        (_, None) => None,
    }
}

fn seconds(count: f64) -> TimeDelta {
    TimeDelta::milliseconds((count * 1000.0).min(1e15) as i64)
}
