//! What could be changed so that a counter lasts, and what each change saves.

use std::time::Duration;

use super::Estimate;
use super::input::{Input, Period};
use super::model::Advice;
use super::polls::Poll;
use super::replan::Replan;
use super::uses::PlannedUse;
use crate::check::Purpose;
use crate::recipe::{Emit, Every};
use crate::trigger::reconciled_lists;
use crate::value::{Map, Value};

/// Changes are proposed from this share of the limit on.
const NEARLY: f64 = 0.8;
/// The interval of sweeps that is proposed, `6h`.
const SWEEP: Duration = Duration::from_secs(6 * 3600);
/// Intervals that are proposed.
const INTERVALS: [(u64, &str); 8] = [
    (60, "1m"),
    (120, "2m"),
    (300, "5m"),
    (600, "10m"),
    (900, "15m"),
    (1800, "30m"),
    (3600, "1h"),
    (21600, "6h"),
];

/// Changes that bring `calls` below the `limit`, or that save the most.
pub(super) fn advice(
    limit: Option<u64>,
    calls: Estimate,
    uses: &[&PlannedUse],
    input: &Input<'_>,
) -> Vec<Advice> {
    let Some(limit) = limit.map(|limit| limit as f64) else { return Vec::new() };
    if calls.expected <= limit * NEARLY {
        return Vec::new();
    }
    let mut uses: Vec<&PlannedUse> = uses.to_vec();
    uses.sort_by(|one, other| other.shown.calls.expected.total_cmp(&one.shown.calls.expected));
    let mut excess = calls.expected - limit * NEARLY;
    let mut all: Vec<Advice> = Vec::new();
    let replan = Replan::new(&uses, input);
    for used in &uses {
        let found = match used.polls.is_empty() {
            true => fewer_runs(used, &uses, calls, limit).into_iter().collect(),
            false => polls(used, excess.max(0.0), input, &replan),
        };
        excess -= found.iter().filter_map(|advice| advice.saves).max().unwrap_or_default() as f64;
        for advice in found {
            if !all.contains(&advice) {
                all.push(advice);
            }
        }
        if excess <= 0.0 {
            break;
        }
    }
    all
}

fn polls(used: &PlannedUse, excess: f64, input: &Input<'_>, replan: &Replan<'_>) -> Vec<Advice> {
    // One pass polls once, however often it would be otherwise.
    if input.period == Period::Once {
        return Vec::new();
    }
    let found =
        [slower(used, excess, replan), without_removed(used, replan), by_webhook(used, input, replan)];
    found.into_iter().flatten().collect()
}

/// Whether `poll` is one of the recipes that share `used`, for the same purpose: a change to a recipe changes its polls
/// on all accounts.
fn is_of(poll: &Poll, used: &PlannedUse) -> bool {
    used.polls.iter().any(|mine| {
        mine.recipe == poll.recipe && mine.purpose == poll.purpose && mine.operation.id == poll.operation.id
    })
}

fn interval(poll: &Poll) -> Option<Duration> {
    match &poll.every {
        Every::Interval(interval) => Some(*interval),
        Every::Adaptive { .. } | Every::Cron(_) => None,
    }
}

/// The next longer interval that saves what is too much, or the one that saves the most.
fn slower(used: &PlannedUse, excess: f64, replan: &Replan<'_>) -> Option<Advice> {
    let shortest = used.polls.iter().filter_map(interval).min()?;
    let saved = |seconds: u64| {
        let slowest = Duration::from_secs(seconds);
        replan.saves(&|poll| {
            let every = Every::Interval(interval(poll).filter(|_| is_of(poll, used))?.max(slowest));
            Some(Poll { every, ..poll.clone() })
        })
    };
    let longer = INTERVALS.iter().filter(|(seconds, _)| Duration::from_secs(*seconds) > shortest);
    let all: Vec<(u64, &str)> =
        longer.filter_map(|(seconds, text)| Some((saved(*seconds)?, *text))).collect();
    let (saves, every) = all.iter().find(|(saves, _)| *saves as f64 >= excess).or(all.last())?;
    let (operation, recipes) = (&used.shown.operation, used.shown.recipes.join(", "));
    let (now, verb) = (written(shortest), used.shown.r#for);
    Some(Advice {
        change: format!("{verb} `{operation}` every {every} instead of {now} ({recipes})"),
        saves: Some(*saves),
    })
}

/// An interval as people write it.
fn written(interval: Duration) -> String {
    let seconds = interval.as_secs();
    match seconds {
        _ if interval.subsec_millis() > 0 => format!("{}ms", interval.as_millis()),
        _ if seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
        _ if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        _ => format!("{seconds}s"),
    }
}

/// A list that is read to its end only because removed records are asked for, by all that share it.
fn without_removed(used: &PlannedUse, replan: &Replan<'_>) -> Option<Advice> {
    let asks = |poll: &Poll| {
        poll.purpose == Purpose::Poll && poll.emit.len() > 1 && poll.emit.contains(&Emit::Removed)
    };
    let asking = used.polls.iter().filter(|poll| asks(poll));
    let recipes = joined(asking.map(|poll| poll.recipe.clone()))?;
    let saves = replan.saves(&|poll| {
        let emit = poll.emit.iter().copied().filter(|emit| *emit != Emit::Removed).collect();
        (is_of(poll, used) && asks(poll)).then(|| poll.with_emit(emit))
    })?;
    Some(Advice {
        change: format!(
            "leave `removed` out of `emit` of {recipes}: the list need not be read to its end then"
        ),
        saves: Some(saves),
    })
}

/// A list whose changes the app tells by a webhook, for all recipes that share it.
fn by_webhook(used: &PlannedUse, input: &Input<'_>, replan: &Replan<'_>) -> Option<Advice> {
    let by_webhook = |poll: &Poll| if is_of(poll, used) { swept(poll, input) } else { None };
    let able = used.polls.iter().filter(|poll| by_webhook(poll).is_some());
    let start = |poll: &Poll| match poll.events.as_slice() {
        [one] => format!("{} by `webhook: {one}`", poll.recipe),
        several => format!("{} by `webhook: [{}]`", poll.recipe, several.join(", ")),
    };
    let starts = joined(able.map(start))?;
    Some(Advice {
        change: format!(
            "if you have an app that receives webhooks, start {starts} with `reconcile: 6h` instead of polling"
        ),
        saves: Some(replan.saves(&by_webhook)?),
    })
}

/// The sweeps that remain of a poll whose changes come by webhook.
fn swept(poll: &Poll, input: &Input<'_>) -> Option<Poll> {
    if poll.purpose != Purpose::Poll || poll.events.is_empty() {
        return None;
    }
    let recipe = input.recipes.iter().find(|recipe| recipe.name() == poll.recipe)?;
    let types: Vec<&str> = poll.events.iter().filter_map(|event| Some(event.split_once('.')?.1)).collect();
    let lists = reconciled_lists(recipe.catalog(), &poll.operation.connector, &types);
    let (_, emit) = lists.into_iter().find(|(list, _)| *list == poll.operation.id)?;
    let all = Poll { with: Value::Object(Map::new()), ..poll.clone() };
    Some(Poll {
        purpose: Purpose::Reconcile,
        every: Every::Interval(SWEEP),
        over: None,
        found: 0.0,
        ..all.with_emit(emit)
    })
}

/// `a`, `a and b`, `a, b and c`; each once, `None` if there is none.
fn joined(names: impl Iterator<Item = String>) -> Option<String> {
    let mut names: Vec<String> = names.collect();
    names.sort();
    names.dedup();
    let last = names.pop()?;
    Some(if names.is_empty() { last } else { format!("{} and {last}", names.join(", ")) })
}

/// How many runs of the recipe fit beside everything else.
fn fewer_runs(used: &PlannedUse, uses: &[&PlannedUse], calls: Estimate, limit: f64) -> Option<Advice> {
    let recipe = used.shown.recipes.first()?;
    let mine =
        uses.iter().filter(|other| other.polls.is_empty() && other.shown.recipes.first() == Some(recipe));
    let own: f64 = mine.map(|used| used.shown.calls.expected).sum();
    if own < 1.0 {
        return None;
    }
    let share = ((limit - (calls.expected - own)).max(0.0) / own * 100.0).floor();
    let change = match share {
        share if share >= 100.0 => return None,
        share if share <= 0.0 => {
            format!("the other calls alone use the limit up; none is left for the runs of {recipe}")
        }
        share => format!(
            "{share}% of the runs of {recipe} fit beside the other calls: let `when` pass fewer events, or send less in \
             each run"
        ),
    };
    Some(Advice { change, saves: None })
}
