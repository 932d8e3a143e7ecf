//! How many runs a recipe starts.

use chrono::{DateTime, TimeDelta, Utc};

use super::assumptions::Assumptions;
use super::history::{PollHistory, RecipeHistory};
use super::input::Period;
use super::model::EventsFrom;
use super::timing::{Timing, end, second};
use crate::check::CheckedRecipe;
use crate::recipe::{Start, Trigger};

/// The runs of a recipe for each of its account combinations.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Events {
    /// The number; `None` if unknown.
    pub(super) count: Option<f64>,
    /// Those of them whose record is not read whole, though the recipe hydrates.
    pub(super) unhydrated: f64,
    pub(super) from: EventsFrom,
    pub(super) timing: Timing,
}

impl Events {
    fn new(count: Option<f64>, from: EventsFrom, timing: Timing) -> Self {
        Self { count, unhydrated: 0.0, from, timing }
    }
}

/// What decides how many events there are.
pub(super) struct EventSources<'a> {
    pub(super) period: Period,
    pub(super) assumptions: &'a Assumptions,
    pub(super) history: Option<&'a RecipeHistory>,
    /// Of its polls.
    pub(super) polls: Vec<PollHistory>,
}

impl EventSources<'_> {
    /// The events of `recipe`.
    pub(super) fn events(&self, recipe: &CheckedRecipe) -> Events {
        if self.history.is_some_and(|history| history.is_paused) {
            return Events::new(Some(0.0), EventsFrom::Paused, Timing::At(Vec::new()));
        }
        match self.period {
            Period::Once => self.once(recipe),
            Period::Day(start) => self.day(recipe, start),
        }
    }

    fn day(&self, recipe: &CheckedRecipe, start: DateTime<Utc>) -> Events {
        if let Trigger::Schedule(schedule) = recipe.trigger() {
            let (mut at, mut now) = (Vec::new(), start - TimeDelta::seconds(1));
            while let Some(next) = schedule.cron.cron.next_after(now).filter(|next| *next < end(start)) {
                at.push(second(start, next));
                now = next;
            }
            let count = Some(at.len() as f64);
            return Events::new(count, EventsFrom::Schedule, Timing::At(at));
        }
        if let Some(count) = self.assumptions.events(recipe.name()) {
            return Events::new(Some(count), EventsFrom::Assumed, Timing::Even);
        }
        let past = self.history.filter(|history| history.runs > 0);
        let accounts = recipe.accounts().len().max(1) as f64;
        let count = past.map(|history| history.runs as f64 / history.days.max(1.0) / accounts);
        let from = if count.is_some() { EventsFrom::History } else { EventsFrom::Unknown };
        Events::new(count, from, Timing::Even)
    }

    /// What one `hob run --once` takes: the runs that wait, and what its poll finds.
    fn once(&self, recipe: &CheckedRecipe) -> Events {
        let timing = Timing::At(vec![0]);
        let accounts = recipe.accounts().len().max(1) as f64;
        let waiting = self.history.map_or(0, |history| history.waiting) as f64 / accounts;
        let found = match recipe.trigger() {
            Trigger::Poll(poll) => match self.assumptions.events(recipe.name()) {
                Some(count) => Some((count, EventsFrom::Assumed)),
                None if self.polls.iter().any(|poll| poll.is_begun) => None,
                None if poll.start == Start::Now => Some((0.0, EventsFrom::Records)),
                None if poll.start == Start::All => {
                    let records = self.assumptions.records(&poll.operation);
                    records.map(|records| (records, EventsFrom::Records))
                }
                None => None,
            },
            // Nobody posts to it, and no time is missed.
            _ => Some((0.0, EventsFrom::Waiting)),
        };
        let hydrated = self.history.map_or(0, |history| history.waiting_hydrated) as f64 / accounts;
        let events = match found {
            Some((count, from)) => Events::new(Some(count + waiting), from, timing),
            None if waiting > 0.0 => Events::new(Some(waiting), EventsFrom::Waiting, timing),
            None => Events::new(None, EventsFrom::Unknown, timing),
        };
        Events { unhydrated: waiting - hydrated, ..events }
    }
}
