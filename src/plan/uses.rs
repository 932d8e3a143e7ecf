//! What requests are sent for, connection by connection.

use super::Estimate;
use super::backlog::Backlog;
use super::events::Events;
use super::input::{Input, Period};
use super::model::{Note, Use};
use super::poll_groups::{PollGroup, Rounds};
use super::polled_list::PolledList;
use super::polls::Poll;
use super::run_calls::RunCalls;
use super::timing::Timing;
use crate::check::{CheckedRecipe, Purpose};
use crate::recipe::Trigger;

/// Requests for one purpose on one connection.
#[derive(Debug, Clone)]
pub(super) struct PlannedUse {
    pub(super) shown: Use,
    pub(super) timing: Timing,
    /// Requests that come once in addition.
    pub(super) at_start: Estimate,
    /// Whether somebody waits for them, so that what is kept of the day may be used.
    pub(super) is_urgent: bool,
    /// The polls, if it is one.
    pub(super) polls: Vec<Poll>,
}

/// The requests of a group of polls.
pub(super) fn poll_use(
    group: PollGroup,
    input: &Input<'_>,
    notes: &mut dyn FnMut(&str, Note),
) -> Option<PlannedUse> {
    let lead = group.polls.first()?.clone();
    let (rounds, times) = match input.period {
        Period::Day(start) => group.rounds(start),
        Period::Once => (Rounds { count: 1.0, timing: Timing::At(vec![0]) }, Estimate::exactly(1.0)),
    };
    let (mut quiet, mut first) = (Estimate::ZERO, Estimate::ZERO);
    let (mut changes, mut begun) = (0.0_f64, true);
    for poll in &group.polls {
        let list = list(poll);
        let (each, all) = list.quiet(input.assumptions);
        for note in all {
            notes(&poll.recipe, note);
        }
        quiet = quiet.max(each);
        if !poll.history.is_begun {
            begun = false;
            first = first.max(list.first(input.assumptions));
        }
        changes = changes.max(list.for_changes(poll.found, rounds.count, input.assumptions));
    }
    let once = input.period == Period::Once;
    let each = if once && !begun {
        first.max(quiet)
    } else {
        quiet + Estimate::between(0.0, changes, Some(changes))
    };
    let shown = Use {
        recipes: group.recipes(),
        connection: lead.connection.clone(),
        r#for: lead.purpose.name(),
        step: None,
        operation: lead.operation.id.clone(),
        times,
        calls_each: each,
        calls: times * each,
    };
    let at_start = if once || begun { Estimate::ZERO } else { beyond(first, quiet) };
    Some(PlannedUse { shown, timing: rounds.timing, at_start, is_urgent: false, polls: group.polls })
}

/// What the first poll costs more than each further one.
fn beyond(first: Estimate, quiet: Estimate) -> Estimate {
    Estimate {
        least: (first.least - quiet.least).max(0.0),
        expected: (first.expected - quiet.expected).max(0.0),
        most: first.most.zip(quiet.most).map(|(first, quiet)| (first - quiet).max(0.0)),
    }
}

fn list(poll: &Poll) -> PolledList<'_> {
    let Poll { operation, emit, start, with, parts, over, history, .. } = poll;
    PolledList { operation, emit, start: *start, with, parts: *parts, over: over.as_ref(), history: *history }
}

/// The requests of the runs of `recipe`.
pub(super) fn run_uses(
    recipe: &CheckedRecipe,
    runs: &RunCalls,
    events: &Events,
    backlog: &Backlog,
) -> Vec<PlannedUse> {
    let mut uses: Vec<PlannedUse> = Vec::new();
    let count = events.count.unwrap_or_default();
    for (combination, accounts) in recipe.accounts().iter().enumerate() {
        for step in &runs.steps {
            let named = step.connection.as_ref().or_else(|| accounts.get(&step.operation.connector));
            let Some(connection) = named else { continue };
            let is_hydration = step.step == super::HYDRATE;
            let runs = if is_hydration { (count - events.unhydrated).max(0.0) } else { count };
            let times = step.times * Estimate::exactly(runs);
            let at_start = step.calls() * backlog.runs(combination, is_hydration);
            let known = uses.iter_mut().find(|known| {
                known.shown.connection == *connection && known.shown.step.as_ref() == Some(&step.step)
            });
            match known {
                Some(known) => {
                    known.shown.times = known.shown.times + times;
                    known.shown.calls = known.shown.calls + times * step.each;
                    known.at_start = known.at_start + at_start;
                }
                None => uses.push(PlannedUse {
                    shown: Use {
                        recipes: vec![recipe.name().to_owned()],
                        connection: connection.clone(),
                        r#for: if is_hydration { Purpose::Hydrate.name() } else { Purpose::Step.name() },
                        step: Some(step.step.clone()),
                        operation: step.operation.id.clone(),
                        times,
                        calls_each: step.each,
                        calls: times * step.each,
                    },
                    timing: events.timing.clone(),
                    at_start,
                    is_urgent: !matches!(recipe.trigger(), Trigger::Poll(_)),
                    polls: Vec::new(),
                }),
            }
        }
    }
    uses
}
