//! What a plan is made from.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use indexmap::IndexMap;

use super::assumptions::Assumptions;
use super::history::{PollHistory, RecipeHistory};
use crate::check::CheckedRecipe;
use crate::connection::Rate;

/// What a plan is made from.
#[derive(Debug)]
pub struct Input<'a> {
    /// The recipes.
    pub recipes: &'a [CheckedRecipe],
    /// The counters of each connection, by its name.
    pub accounts: &'a IndexMap<String, AccountCounters>,
    /// What the user assumes.
    pub assumptions: &'a Assumptions,
    /// What the history says of recipes, by name.
    pub history: &'a BTreeMap<String, RecipeHistory>,
    /// What it says of polls, by the key of the cursor.
    pub polls: &'a BTreeMap<String, PollHistory>,
    /// What is planned.
    pub period: Period,
}

/// What is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// A day that begins at this time.
    Day(DateTime<Utc>),
    /// One `hob run --once`.
    Once,
}

/// The counters of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountCounters {
    /// The connector.
    pub connector: String,
    /// Identifies the daily counter.
    pub day: String,
    /// Identifies the burst counter within the daily one.
    pub window: String,
    /// Requests a day, if limited and known.
    pub daily: Option<u64>,
    /// Where that is from.
    pub daily_from: LimitFrom,
    /// How many requests of a day are kept for webhooks, schedules and manual runs.
    pub reserve: u64,
    /// Requests per interval, if limited and known.
    pub burst: Option<Rate>,
    /// Where that is from.
    pub burst_from: LimitFrom,
}

/// Where a limit is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitFrom {
    /// The API's answers.
    Learned,
    /// hob.yaml.
    Configured,
    /// The connector.
    Connector,
    /// Nowhere: there is none, or none is known.
    Unknown,
}

impl LimitFrom {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Learned => "learned",
            Self::Configured => "configured",
            Self::Connector => "connector",
            Self::Unknown => "unknown",
        }
    }
}
