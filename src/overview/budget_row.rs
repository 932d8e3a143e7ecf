//! The budget of a connection: its limits, what is left of them, and what waits for it.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::connection::CounterState;
use crate::event::Cursor;
use crate::journal::Unfinished;
use crate::run::RunState;

/// The budget of a connection. Scripts rely on these fields.
#[derive(Debug, Clone, Serialize)]
pub struct BudgetRow {
    /// The requests of a day.
    pub daily: Daily,
    /// The requests of an interval.
    pub burst: Burst,
    /// Other connections that the API counts together with this one.
    pub shared_with: Vec<String>,
    /// Runs that wait to continue on it.
    pub waiting_runs: u64,
    /// Polls that wait for it.
    pub waiting_polls: u64,
}

/// The requests of a day.
#[derive(Debug, Clone, Serialize)]
pub struct Daily {
    /// Null if there is none, or none is known.
    pub limit: Option<u64>,
    /// Whether the API has stated the limit.
    pub learned: bool,
    /// Requests so far; null before the first one.
    pub used: Option<u64>,
    /// Requests that are left.
    pub remaining: Option<u64>,
    /// Of the limit, what is kept for webhooks, schedules and manual runs.
    pub reserve: Option<u64>,
    /// When the day that is counted ends.
    pub resets: Option<DateTime<Utc>>,
    /// When nothing is left, at the rate of the day so far; null if it lasts, or is not known yet.
    pub runs_dry: Option<DateTime<Utc>>,
}

/// The requests of an interval.
#[derive(Debug, Clone, Serialize)]
pub struct Burst {
    /// Such as `100/10s`.
    pub limit: Option<String>,
    /// Whether the API has stated the limit.
    pub learned: bool,
}

impl BudgetRow {
    /// The budget of the connection `name` at `now`.
    pub fn new(
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
}
