//! What the history says of a recipe and of a poll.

use std::collections::BTreeMap;

/// The name under which the fetching of whole records is counted.
pub const HYDRATE: &str = "(hydrate)";

/// What the history says of a recipe.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RecipeHistory {
    /// Runs that began, without those for records that existed before.
    pub runs: u64,
    /// Over how many days, at least one.
    pub days: f64,
    /// Runs of the recipe as it is now whose steps were counted.
    pub sampled: u64,
    /// How often a run performed each step, on average of those.
    pub steps: BTreeMap<String, f64>,
    /// Runs that wait now.
    pub waiting: u64,
    /// Those of them whose record is read whole first, if the recipe hydrates.
    pub waiting_hydrated: u64,
    /// It is paused: it polls nothing, and its runs wait.
    pub is_paused: bool,
}

/// What the history says of a poll, by the key of its cursor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PollHistory {
    /// The existing records were read once.
    pub is_begun: bool,
    /// Pages that the last poll read.
    pub pages: u64,
    /// Pages that the last poll read that asked all parents of a list that is read for each of them.
    pub whole: Option<u64>,
}
