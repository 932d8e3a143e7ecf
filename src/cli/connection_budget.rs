//! The budget of a connection in listings: its limits, what is left of them, and what waits for it.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::polls::time;
use super::table::table;
use crate::connection::CounterState;
use crate::event::Cursor;
use crate::journal::Unfinished;
use crate::run::RunState;

/// The budget of a connection. Scripts rely on these fields.
#[derive(Debug, Serialize)]
pub(super) struct BudgetRow {
    daily: Daily,
    burst: Burst,
    /// Other connections that the API counts together with this one.
    shared_with: Vec<String>,
    /// Runs that wait to continue on it.
    waiting_runs: u64,
    /// Polls that wait for it.
    waiting_polls: u64,
}

/// The requests of a day.
#[derive(Debug, Serialize)]
struct Daily {
    /// Null if there is none, or none is known.
    limit: Option<u64>,
    /// Whether the API has stated the limit.
    learned: bool,
    /// Requests so far; null before the first one.
    used: Option<u64>,
    remaining: Option<u64>,
    /// Of the limit, what is kept for webhooks, schedules and manual runs.
    reserve: Option<u64>,
    /// When the day that is counted ends.
    resets: Option<DateTime<Utc>>,
    /// When nothing is left, at the rate of the day so far; null if it lasts, or is not known yet.
    runs_dry: Option<DateTime<Utc>>,
}

/// The requests of an interval.
#[derive(Debug, Serialize)]
struct Burst {
    /// Such as `100/10s`.
    limit: Option<String>,
    learned: bool,
}

impl BudgetRow {
    /// The budget of the connection `name` at `now`.
    pub(super) fn new(
        name: &str,
        state: &CounterState,
        shared_with: Vec<String>,
        unfinished: &[Unfinished],
        cursors: &[Cursor],
        now: DateTime<Utc>,
    ) -> Self {
        let is_mine = |runs: &&Unfinished| {
            runs.state == RunState::Waiting && runs.connections.iter().any(|connection| connection == name)
        };
        let waits = |cursor: &&Cursor| {
            cursor.health.waits.is_some() && cursor.health.connection.as_deref() == Some(name)
        };
        Self {
            daily: Daily {
                limit: state.daily,
                learned: state.daily_is_learned,
                used: state.used(),
                remaining: state.remaining,
                reserve: state.reserve(),
                resets: state.period.map(|(_, ends)| ends),
                runs_dry: state.runs_dry(now),
            },
            burst: Burst { limit: state.burst.map(|rate| rate.to_string()), learned: state.burst_is_learned },
            shared_with,
            waiting_runs: unfinished.iter().filter(is_mine).map(|runs| runs.count).sum(),
            waiting_polls: cursors.iter().filter(waits).count() as u64,
        }
    }

    fn cells(&self, name: &str) -> Vec<String> {
        let count = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
        let Daily { limit, used, remaining, reserve, resets, runs_dry, .. } = &self.daily;
        let at = |when: &Option<DateTime<Utc>>| when.map_or_else(|| "-".to_owned(), time);
        let waiting = match (self.waiting_runs, self.waiting_polls) {
            (0, 0) => "-".to_owned(),
            (runs, 0) => counted(runs, "run"),
            (0, polls) => counted(polls, "poll"),
            (runs, polls) => format!("{}, {}", counted(runs, "run"), counted(polls, "poll")),
        };
        let burst = self.burst.limit.clone().unwrap_or_else(|| "-".to_owned());
        let counts = [limit, used, remaining, reserve].map(|number| count(*number));
        let rest = [at(resets), at(runs_dry), burst, waiting];
        [name.to_owned()].into_iter().chain(counts).chain(rest).collect()
    }
}

fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// The budgets of connections, for people.
pub(super) fn budgets<'a>(rows: impl Iterator<Item = (&'a str, &'a BudgetRow)>) -> String {
    let columns = ["NAME", "A DAY", "USED", "LEFT", "KEPT", "RESETS", "RUNS DRY", "AT ONCE", "WAITING"];
    table(&columns, rows.map(|(name, budget)| budget.cells(name)))
}
