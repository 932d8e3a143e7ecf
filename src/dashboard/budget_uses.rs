//! Who uses the budget of a connection, as far as this process has sent the requests.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::connection::{Connection, CounterState};
use crate::event::Priority;

/// What is counted without a day of the API that is known.
const DAY: TimeDelta = TimeDelta::hours(24);
/// Nothing is forecast from less.
const SHORTEST: TimeDelta = TimeDelta::minutes(10);

/// Who uses a budget.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct BudgetUses {
    /// Since when requests are counted.
    since: DateTime<Utc>,
    rows: Vec<Row>,
    /// Requests of the day that were sent before that, or by others.
    others: Option<u64>,
}

/// The requests of a recipe at one priority.
#[derive(Debug, PartialEq, Serialize)]
struct Row {
    /// None for what people and checks send.
    recipe: Option<String>,
    priority: &'static str,
    requests: u64,
    /// As many a day at this rate.
    a_day: Option<u64>,
}

impl BudgetUses {
    /// Who uses the budget of `connection`; the process counts since `began`.
    pub(super) fn of(
        connection: &Connection,
        state: &CounterState,
        began: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Self {
        let day = state.period.map_or(now - DAY, |(day, _)| day);
        let since = day.max(began);
        let elapsed = now - since;
        let a_day = |requests: u64| {
            (elapsed >= SHORTEST).then(|| {
                let a_day = requests as f64 * DAY.num_seconds() as f64 / elapsed.num_seconds() as f64;
                a_day.round() as u64
            })
        };
        let uses = connection.use_counts.since(since);
        let own: u64 = uses.iter().map(|used| used.requests).sum();
        let rows = uses.into_iter().map(|used| Row {
            recipe: used.recipe.map(|recipe| recipe.to_string()),
            priority: name(used.priority),
            requests: used.requests,
            a_day: a_day(used.requests),
        });
        Self { since, rows: rows.collect(), others: state.used().map(|used| used.saturating_sub(own)) }
    }
}

fn name(priority: Priority) -> &'static str {
    match priority {
        Priority::Webhook => "webhooks, schedules and manual runs",
        Priority::Poll => "polls",
        Priority::Backfill => "backfills",
    }
}
