//! What could be changed so that a counter lasts, and what each change saves.

use std::time::Duration;

use super::Estimate;
use super::input::Input;
use super::model::Advice;
use super::poll_groups::PollGroup;
use super::polls::Poll;
use super::uses::{PlannedUse, day};
use crate::catalog::QuietPoll;
use crate::recipe::{Emit, Every};
use crate::trigger::detect::wanted;
use crate::trigger::period;

/// Changes are proposed from this share of the limit on.
const NEARLY: f64 = 0.8;
/// Sweeps a day with `reconcile: 6h`.
const SWEEPS: f64 = 4.0;
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
    for used in &uses {
        let found = match used.polls.is_empty() {
            true => fewer_runs(used, &uses, calls, limit).into_iter().collect(),
            false => polls(used, excess.max(0.0), input),
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

fn polls(used: &PlannedUse, excess: f64, input: &Input<'_>) -> Vec<Advice> {
    let found = [slower(used, excess, input), without_removed(used), by_webhook(used)];
    found.into_iter().flatten().collect()
}

/// The next longer interval that saves what is too much, or the one that saves the most.
fn slower(used: &PlannedUse, excess: f64, input: &Input<'_>) -> Option<Advice> {
    let start = day(input)?;
    let interval = |poll: &Poll| match &poll.every {
        Every::Interval(interval) => Some(*interval),
        Every::Adaptive { .. } | Every::Cron(_) => None,
    };
    let shortest = used.polls.iter().filter_map(interval).min()?;
    let group = PollGroup { polls: used.polls.clone() };
    let saved = |seconds: u64| {
        let slowest = Duration::from_secs(seconds);
        let slower = |poll: &Poll| Some(period(&poll.key, interval(poll)?.max(slowest)).as_secs_f64());
        let rounds = group.rounds_at(start, &slower).count;
        (used.shown.times.expected - rounds) * used.shown.calls_each.expected
    };
    let longer = INTERVALS.iter().filter(|(seconds, _)| Duration::from_secs(*seconds) > shortest);
    let all: Vec<(f64, &str)> = longer.map(|(seconds, text)| (saved(*seconds), *text)).collect();
    let enough = all.iter().find(|(saves, _)| *saves >= excess).or(all.last())?;
    let (saves, every) = (enough.0.round() as u64, enough.1);
    let (operation, recipes) = (&used.shown.operation, used.shown.recipes.join(", "));
    let now = written(shortest);
    (saves > 0).then(|| Advice {
        change: format!("poll `{operation}` every {every} instead of {now} ({recipes})"),
        saves: Some(saves),
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

/// A list that is read to its end only because removed records are asked for.
fn without_removed(used: &PlannedUse) -> Option<Advice> {
    let asks = |poll: &&Poll| poll.emit.contains(&Emit::Removed);
    let poll = used.polls.iter().find(asks)?;
    let list = poll.operation.list.as_ref()?;
    let emit = [Emit::New, Emit::Changed];
    let cheap = list.quiet_poll(wanted(&emit), &poll.with) == QuietPoll::OneRequest;
    let saves = (used.shown.calls_each.expected - 1.0) * used.shown.times.expected;
    (cheap && saves >= 1.0).then(|| Advice {
        change: format!(
            "leave `removed` out of `emit` of {}: the list need not be read to its end then",
            poll.recipe
        ),
        saves: Some(saves.round() as u64),
    })
}

/// A list whose changes the app tells by a webhook.
fn by_webhook(used: &PlannedUse) -> Option<Advice> {
    let poll = used.polls.iter().find(|poll| !poll.events.is_empty())?;
    let events = match poll.events.as_slice() {
        [one] => one.clone(),
        several => format!("[{}]", several.join(", ")),
    };
    let saves = (used.shown.times.expected - SWEEPS).max(0.0) * used.shown.calls_each.expected;
    Some(Advice {
        change: format!(
            "if you have an app that receives webhooks, start {} by `webhook: {events}` with `reconcile: 6h` instead of \
             polling",
            poll.recipe
        ),
        saves: Some(saves.round() as u64),
    })
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
