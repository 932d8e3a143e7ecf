//! Puts a plan together.

use chrono::TimeDelta;

use super::backlog::Backlog;
use super::counters::{bursts, daily};
use super::events::{EventSources, Events};
use super::input::{Input, Period};
use super::model::{Note, Plan, RecipePlan};
use super::next_due::next_due;
use super::poll_groups::PollGroup;
use super::polls::Poll;
use super::run_calls::{RunCalls, StepCalls};
use super::uses::{PlannedUse, poll_use, run_uses};
use super::{Estimate, EventsFrom};
use crate::check::{CheckedRecipe, Purpose};
use crate::recipe::{Every, Trigger};

/// Days from which the busiest is taken.
const DAYS: i64 = 7;

/// The plan. Where recipes follow a cron expression, the busiest of seven days from the given one on.
pub fn plan(input: &Input<'_>) -> Plan {
    let Period::Day(start) = input.period else { return plan_period(input) };
    let days = if input.recipes.iter().any(follows_cron) { DAYS } else { 1 };
    let plans = (0..days).map(|day| {
        let period = Period::Day(start + TimeDelta::days(day));
        plan_period(&Input { period, ..*input })
    });
    let calls = |plan: &Plan| plan.counters.iter().map(|counter| counter.calls.expected).sum::<f64>();
    // The first one of several that are equal.
    let busiest = plans.reduce(|best, other| if calls(&other) > calls(&best) { other } else { best });
    busiest.unwrap_or_else(|| plan_period(input))
}

fn follows_cron(recipe: &CheckedRecipe) -> bool {
    match recipe.trigger() {
        Trigger::Schedule(_) => true,
        Trigger::Poll(poll) => matches!(poll.every, Every::Cron(_)),
        _ => false,
    }
}

/// A recipe with what is known of its runs.
struct Planned<'a> {
    recipe: &'a CheckedRecipe,
    events: Events,
    runs: RunCalls,
    backlog: Backlog,
}

fn plan_period(input: &Input<'_>) -> Plan {
    let mut planned: Vec<Planned<'_>> = input.recipes.iter().map(|recipe| planned(recipe, input)).collect();
    let mut uses: Vec<PlannedUse> = Vec::new();
    let polls = planned.iter().flat_map(|planned| planned.polls(input)).collect();
    let mut notes: Vec<(String, Note)> = Vec::new();
    for group in PollGroup::all(polls) {
        let mut note = |recipe: &str, note: Note| notes.push((recipe.to_owned(), note));
        uses.extend(poll_use(group, input, &mut note));
    }
    for (name, note) in notes {
        let known = planned.iter_mut().find(|planned| planned.recipe.name() == name);
        known.filter(|known| !known.runs.notes.contains(&note)).into_iter().for_each(|known| {
            known.runs.notes.push(note.clone());
        });
    }
    for Planned { recipe, events, runs, backlog } in &planned {
        uses.extend(run_uses(recipe, runs, events, backlog));
    }
    let counters = daily(input, &uses);
    let bursts = bursts(input, &uses);
    Plan {
        day: match input.period {
            Period::Day(start) => Some(start.date_naive()),
            Period::Once => None,
        },
        over: counters.iter().any(|counter| counter.over)
            || bursts.iter().flat_map(|burst| &burst.peaks).any(|peak| peak.drained_after.is_none()),
        recipes: planned.iter().map(|planned| planned.shown(&uses, input.period)).collect(),
        assumptions: general(input, &planned),
        counters,
        bursts,
    }
}

fn planned<'a>(recipe: &'a CheckedRecipe, input: &Input<'_>) -> Planned<'a> {
    let history = input.history.get(recipe.name());
    let polls = Poll::all(recipe, input.polls).into_iter().map(|poll| poll.history).collect();
    let sources = EventSources { period: input.period, assumptions: input.assumptions, history, polls };
    let runs = RunCalls::count(recipe, input.assumptions, history);
    Planned { events: sources.events(recipe), runs, backlog: Backlog::new(recipe, input), recipe }
}

impl Planned<'_> {
    /// Its polls; none if it is paused.
    fn polls(&self, input: &Input<'_>) -> Vec<Poll> {
        if self.events.from == EventsFrom::Paused {
            return Vec::new();
        }
        let found = self.events.count.unwrap_or_default();
        let with_events =
            |poll: Poll| Poll { found: if poll.purpose == Purpose::Poll { found } else { 0.0 }, ..poll };
        Poll::all(self.recipe, input.polls).into_iter().map(with_events).collect()
    }

    /// What its numbers depend on.
    fn notes(&self, period: Period) -> Vec<Note> {
        let name = self.recipe.name();
        let note = |assumed: String, assume: Vec<String>| Note { about: name.to_owned(), assumed, assume };
        if self.events.from == EventsFrom::Paused {
            let assumed =
                "it is paused, and not counted: it polls nothing and its runs wait until `hob resume`";
            return vec![note(assumed.to_owned(), Vec::new())];
        }
        let mut notes = self.runs.notes.clone();
        notes.extend(self.backlog.note(self.recipe));
        notes.extend(next_due(self.recipe, period));
        if self.events.from == EventsFrom::Unknown {
            let assumed = "no event is counted, as nothing says how many there are a day on each account";
            notes.push(note(assumed.to_owned(), vec!["events=500".to_owned(), format!("{name}=500")]));
        }
        notes
    }

    fn shown(&self, uses: &[PlannedUse], period: Period) -> RecipePlan {
        let Self { recipe, events, runs, .. } = self;
        let name = recipe.name();
        let mine = uses.iter().filter(|used| used.shown.recipes.iter().any(|recipe| recipe == name));
        let share = |used: &PlannedUse| {
            used.shown.calls * Estimate::exactly(1.0 / used.shown.recipes.len().max(1) as f64)
        };
        RecipePlan {
            recipe: name.to_owned(),
            trigger: match recipe.trigger() {
                Trigger::Poll(_) => "poll",
                Trigger::Webhook(_) => "webhook",
                Trigger::Schedule(_) => "schedule",
                Trigger::Manual(_) => "manual",
            },
            accounts: recipe.accounts().len(),
            events: events.count.map(|count| (count * 100.0).round() / 100.0),
            events_from: events.from,
            calls_per_run: runs.steps.iter().map(StepCalls::calls).sum(),
            calls: mine.map(share).sum(),
            notes: self.notes(period),
        }
    }
}

/// What is assumed for all recipes.
fn general(input: &Input<'_>, planned: &[Planned<'_>]) -> Vec<String> {
    let mut all = vec![
        "nothing fails: retries, probes of lost answers, `on_failure` and requests for tokens are not counted"
            .to_owned(),
    ];
    if let Period::Day(_) = input.period {
        all.push("hob starts at 00:00 UTC and runs all day".to_owned());
        if planned.iter().any(|planned| planned.events.timing == super::timing::Timing::Even) {
            all.push("events come evenly over the day".to_owned());
        }
        let past = planned.iter().filter(|planned| planned.events.from == EventsFrom::History);
        let days = past.filter_map(|planned| Some(input.history.get(planned.recipe.name())?.days));
        if let Some(days) = days.reduce(f64::max) {
            all.push(match days {
                days if days <= 1.0 => "events from the history are those of the last 24 hours, without those of backfills and first polls".to_owned(),
                days => format!(
                    "events from the history are the average of the last {days:.1} days, without those of backfills and \
                     first polls"
                ),
            });
        }
    }
    all
}
