//! A plan for people.

use super::number::number;
use super::plot::plot;
use crate::cli::table::table;
use crate::plan::{Burst, CounterPlan, Estimate, EventsFrom, Note, Plan, RecipePlan, Use};

/// Most rows of a counter's table.
const MOST_ROWS: usize = 30;

/// Most recipes and steps that a note names.
const MOST_NAMES: usize = 8;

/// The plan as text.
pub(super) fn text(plan: &Plan, is_terminal: bool) -> String {
    let mut lines = vec![match plan.day {
        Some(day) => format!("Requests on {} (UTC)", day.format("%A, %-d %B %Y")),
        None => "Requests of one `hob run --once`".to_owned(),
    }];
    for counter in &plan.counters {
        lines.push(String::new());
        lines.extend(counter_lines(counter, plan.day.is_some(), is_terminal));
        let bursts = plan.bursts.iter().filter(|burst| {
            burst.connections.iter().any(|connection| counter.connections.contains(connection))
        });
        lines.extend(bursts.filter_map(|burst| burst_line(burst, counter, plan.day.is_some())));
        if !counter.advice.is_empty() {
            lines.push("  to change:".to_owned());
        }
        lines.extend(counter.advice.iter().map(|advice| match advice.saves {
            Some(saves) => format!("  - {}: saves {} calls a day", advice.change, number(saves as f64)),
            None => format!("  - {}", advice.change),
        }));
    }
    if plan.counters.is_empty() {
        lines.push("no recipe sends anything".to_owned());
    }
    lines.push(String::new());
    lines.push(table(
        &["RECIPE", "TRIGGER", "EVENTS", "CALLS EACH", "CALLS"],
        plan.recipes.iter().map(|recipe| {
            let trigger = recipe.trigger.to_owned();
            let (each, calls) = (range(recipe.calls_per_run), range(recipe.calls));
            vec![recipe.recipe.clone(), trigger, events(recipe), each, calls]
        }),
    ));
    lines.push("\nAssumed:".to_owned());
    lines.extend(plan.assumptions.iter().map(|text| format!("- {text}")));
    lines.extend(notes(&plan.recipes));
    lines.push(String::new());
    lines.join("\n")
}

/// A line for each kind of assumption, with all that it is about.
fn notes(recipes: &[RecipePlan]) -> Vec<String> {
    let mut kinds: Vec<(&Note, Vec<&str>)> = Vec::new();
    for note in recipes.iter().flat_map(|recipe| &recipe.notes) {
        match kinds.iter_mut().find(|(kind, _)| kind.assumed == note.assumed) {
            Some((_, about)) if about.contains(&note.about.as_str()) => {}
            Some((_, about)) => about.push(&note.about),
            None => kinds.push((note, vec![&note.about])),
        }
    }
    let line = |(note, about): (&Note, Vec<&str>)| {
        let ways: Vec<String> = note.assume.iter().map(|value| format!("`--assume {value}`")).collect();
        let ways =
            if ways.is_empty() { String::new() } else { format!(" ({} changes that)", ways.join(" or ")) };
        let mut names = about.iter().take(MOST_NAMES).copied().collect::<Vec<_>>().join(", ");
        if let Some(more) = about.len().checked_sub(MOST_NAMES).filter(|more| *more > 0) {
            names += &format!(" and {more} more");
        }
        format!("- {names}: {}{ways}", note.assumed)
    };
    kinds.into_iter().map(line).collect()
}

fn counter_lines(counter: &CounterPlan, is_day: bool, is_terminal: bool) -> Vec<String> {
    let connections = counter.connections.join(" + ");
    let mut lines = vec![format!("{} ({connections})", counter.connector)];
    let calls = range(counter.calls);
    lines.push(match (counter.limit, is_day) {
        (Some(limit), true) => {
            let share = counter.calls.expected / limit.max(1) as f64 * 100.0;
            let origin = origin(counter.limit_from);
            let verdict = if counter.over_each_day { ": too many" } else { "" };
            format!("  {calls} of {} a day ({origin}), {share:.1} %{verdict}", number(limit as f64))
        }
        (Some(limit), false) => format!("  {calls} of {} a day", number(limit as f64)),
        (None, true) => format!("  {calls} a day; no limit is known"),
        (None, false) => format!("  {calls}"),
    });
    if let Some(reserve) = counter.reserve.filter(|reserve| *reserve > 0) {
        let reserve = number(reserve as f64);
        lines.push(format!("  the last {reserve} are kept for webhooks, schedules and manual runs"));
    }
    if let Some(dry) = &counter.runs_dry {
        lines.push(format!("  runs dry at {dry} UTC; what is due later waits for the next day"));
    }
    lines.extend(at_start(counter));
    lines.push(String::new());
    let sends = |used: &&Use| used.calls.most != Some(0.0);
    let uses: Vec<&Use> = counter.uses.iter().filter(sends).collect();
    let several = counter.connections.len() > 1;
    let rows = uses.iter().take(MOST_ROWS).map(|used| {
        let what = match &used.step {
            Some(step) if used.r#for == "step" => format!("step {step}: {}", used.operation),
            _ => format!("{} {}", used.r#for, used.operation),
        };
        let (times, each, calls) = (range(used.times), range(used.calls_each), range(used.calls));
        let mut row = vec![format!("  {}", used.recipes.join(", "))];
        row.extend(several.then(|| used.connection.clone()));
        row.extend([what, times, each, calls]);
        row
    });
    let mut columns = vec!["  RECIPE"];
    columns.extend(several.then_some("CONNECTION"));
    columns.extend(["FOR", "TIMES", "CALLS EACH", "CALLS"]);
    if !uses.is_empty() {
        lines.push(table(&columns, rows));
    }
    if let Some(more) = uses.len().checked_sub(MOST_ROWS).filter(|more| *more > 0) {
        lines.push(format!("  and {more} more; `--format json` has them all"));
    }
    let bars = plot(&counter.hours, is_terminal);
    if !bars.is_empty() {
        lines.push(String::new());
        lines.extend(bars);
    }
    lines.push(String::new());
    lines
}

/// What comes once, and whether the first day has too many with it.
fn at_start(counter: &CounterPlan) -> Vec<String> {
    if counter.at_start.most == Some(0.0) {
        return Vec::new();
    }
    let once = range(counter.at_start);
    let mut lines =
        vec![format!("  and once at the start {once}, for first polls, their records and runs that wait")];
    if let Some(limit) = counter.limit.filter(|_| counter.over) {
        let (first, limit) = (range(counter.first_day), number(limit as f64));
        lines.push(format!("  {first} of {limit} on the first day: too many"));
    }
    lines
}

fn burst_line(burst: &Burst, counter: &CounterPlan, is_day: bool) -> Option<String> {
    let limit = burst.limit.as_ref()?;
    let peak = burst.peaks.first()?;
    let calls = number(peak.waiting as f64);
    let drained = match peak.drained_after {
        None if !is_day && counter.over => {
            let limit = counter.limit.unwrap_or(1).max(1) as f64;
            let days = number((counter.calls.expected / limit).ceil());
            format!("all sent after {days} days, as a day allows {}", number(limit))
        }
        None if !is_day => "not all are sent within a day".to_owned(),
        None => "more come than are allowed, and the rest waits until the end of the day".to_owned(),
        Some(0) => "sent at once".to_owned(),
        Some(seconds) => format!("all sent after {seconds} s"),
    };
    let connections = burst.connections.join(" + ");
    Some(format!("  most at once on {connections}: {calls} at {}, limit {limit}: {drained}", peak.at))
}

fn origin(from: &str) -> &'static str {
    match from {
        "learned" => "as the API says",
        "configured" => "from hob.yaml",
        _ => "from the connector",
    }
}

fn events(recipe: &RecipePlan) -> String {
    let from = match recipe.events_from {
        EventsFrom::Assumed => "assumed",
        EventsFrom::History => "history",
        EventsFrom::Schedule => "schedule",
        EventsFrom::Records => "records",
        EventsFrom::Waiting => "waiting",
        EventsFrom::Paused => return "paused".to_owned(),
        EventsFrom::Unknown => return "unknown".to_owned(),
    };
    let count = number(recipe.events.unwrap_or_default());
    match recipe.accounts {
        0 | 1 => format!("{count} ({from})"),
        accounts => format!("{count} on each of {accounts} ({from})"),
    }
}

/// `12`, `12 (0 to 24)` or `12 (at least 1)`.
fn range(estimate: Estimate) -> String {
    let expected = number(estimate.expected);
    match estimate.most {
        _ if estimate.is_exact() => expected,
        Some(most) => format!("{expected} ({} to {})", number(estimate.least), number(most)),
        None => format!("{expected} (at least {})", number(estimate.least)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, text) in
            [(0.0, "0"), (1.25, "1.3"), (999.96, "1,000"), (12960.4, "12,960"), (1e6, "1,000,000")]
        {
            assert_eq!(number(value), text);
        }
        assert_eq!(range(Estimate::exactly(3.0)), "3");
        assert_eq!(range(Estimate::between(0.0, 2.0, Some(4.0))), "2 (0 to 4)");
        assert_eq!(range(Estimate::between(1.0, 2.0, None)), "2 (at least 1)");
    }
}
