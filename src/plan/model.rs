//! A plan, as shown and as JSON. Scripts rely on these fields.

use chrono::NaiveDate;
use serde::Serialize;

use super::Estimate;

/// A plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The planned day, in UTC; null for the plan of one `hob run --once`.
    pub day: Option<NaiveDate>,
    /// Whether a counter is over its limit.
    pub over: bool,
    /// The counters of requests a day.
    pub counters: Vec<CounterPlan>,
    /// The counters of requests per interval.
    pub bursts: Vec<Burst>,
    /// The recipes.
    pub recipes: Vec<RecipePlan>,
    /// What is assumed for all recipes.
    pub assumptions: Vec<String>,
}

/// A counter of requests a day.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CounterPlan {
    /// The connector.
    pub connector: String,
    /// The connections that it counts together.
    pub connections: Vec<String>,
    /// Requests a day, if limited and known.
    pub limit: Option<u64>,
    /// Where the limit is from: `learned` (from the API's answers), `configured` (hob.yaml), `connector` or `unknown`.
    pub limit_from: &'static str,
    /// Of the limit, what is kept for webhooks, schedules and manual runs: polls, backfills and their runs wait when no
    /// more is left.
    pub reserve: Option<u64>,
    /// Planned requests.
    pub calls: Estimate,
    /// Requests that come once in addition, when hob starts: first polls and runs that wait.
    pub at_start: Estimate,
    /// Both together: the requests of the day on which hob starts.
    pub first_day: Estimate,
    /// Whether the expected requests exceed the limit, or those of polls what is not kept for others, on the first day or
    /// on every one.
    pub over: bool,
    /// The same, without what comes once.
    pub over_each_day: bool,
    /// When some have to wait for the next day, as `HH:MM` of the day, if they do.
    pub runs_dry: Option<String>,
    /// Expected requests by hour of the day, in UTC.
    pub hours: Vec<f64>,
    /// What they are sent for, most first.
    pub uses: Vec<Use>,
    /// What could be changed.
    pub advice: Vec<Advice>,
}

/// What requests are sent for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Use {
    /// The recipes; several if they share a poll.
    pub recipes: Vec<String>,
    /// The connection.
    pub connection: String,
    /// `poll`, `reconcile`, `hydrate` or `step`.
    pub r#for: &'static str,
    /// The step.
    pub step: Option<String>,
    /// The operation.
    pub operation: String,
    /// How often a day.
    pub times: Estimate,
    /// Requests each time.
    pub calls_each: Estimate,
    /// Requests a day.
    pub calls: Estimate,
}

/// A change and its effect.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Advice {
    /// What to change, for people.
    pub change: String,
    /// Requests a day that it saves.
    pub saves: Option<u64>,
}

/// A counter of requests per interval.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Burst {
    /// The connector.
    pub connector: String,
    /// The connections that it counts together.
    pub connections: Vec<String>,
    /// The limit, such as `100/10s`.
    pub limit: Option<String>,
    /// Where the limit is from.
    pub limit_from: &'static str,
    /// The times when the most requests wait, the worst first.
    pub peaks: Vec<Peak>,
}

/// A time when requests come together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Peak {
    /// When, as `HH:MM:SS` of the day.
    pub at: String,
    /// Requests that wait at most.
    pub waiting: u64,
    /// Seconds until all are sent; null if not before the end of the day.
    pub drained_after: Option<u64>,
}

/// A recipe.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecipePlan {
    /// Its name.
    pub recipe: String,
    /// `poll`, `webhook`, `schedule` or `manual`.
    pub trigger: &'static str,
    /// The number of account combinations that it runs for.
    pub accounts: usize,
    /// Runs a day for each of them; null if unknown, and then none is counted.
    pub events: Option<f64>,
    /// How the number is known.
    pub events_from: EventsFrom,
    /// Requests of a run, on all connections together.
    pub calls_per_run: Estimate,
    /// Its requests a day, with its share of polls that it shares.
    pub calls: Estimate,
    /// What is assumed because it depends on data.
    pub notes: Vec<Note>,
}

/// Something that is assumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// The recipe, or `RECIPE/STEP`.
    pub about: String,
    /// What is assumed, for people.
    pub assumed: String,
    /// Values of `--assume` that would say it, if any would.
    pub assume: Vec<String>,
}

/// How the number of events is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EventsFrom {
    /// By `--assume`.
    Assumed,
    /// From the history of the store.
    History,
    /// From its schedule.
    Schedule,
    /// From the records that the first poll finds.
    Records,
    /// From the runs that wait.
    Waiting,
    /// It is paused, so there are none.
    Paused,
    /// Not at all.
    Unknown,
}
