//! Recipes that people have paused. Kept among the remembered values, so that every store keeps them alike
//! and takes them along when it is moved.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Error, Journal, LeasedRun, RunUpdate};
use crate::run::RunState;

/// Begins the keys of remembered values that are hob's own.
pub const OWN_KEYS: &str = "hob:";
/// Begins the keys of what is told here; the recipe's name follows.
const PREFIX: &str = "hob:pause:";

/// What people last said about a recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pause {
    /// It is paused since then.
    Paused(DateTime<Utc>),
    /// It was paused, and goes on since then.
    Resumed(DateTime<Utc>),
}

impl Pause {
    /// Whether it is paused now.
    pub fn is_paused(&self) -> bool {
        matches!(self, Pause::Paused(_))
    }

    /// Whether what was planned for `time` fell into the pause.
    pub fn covers(&self, time: DateTime<Utc>) -> bool {
        match self {
            Pause::Paused(_) => true,
            Pause::Resumed(at) => time <= *at,
        }
    }
}

/// Pauses a recipe: its pollers and schedules rest, and its runs wait; whether it was not paused already.
pub async fn pause(journal: &dyn Journal, recipe: &str, now: DateTime<Utc>) -> Result<bool, Error> {
    if pause_of(journal, recipe).await?.is_some_and(|pause| pause.is_paused()) {
        return Ok(false);
    }
    put(journal, recipe, Pause::Paused(now)).await?;
    Ok(true)
}

/// Lets a paused recipe go on, with what has come for it meanwhile; whether it was paused.
pub async fn resume(journal: &dyn Journal, recipe: &str, now: DateTime<Utc>) -> Result<bool, Error> {
    let paused = pause_of(journal, recipe).await?.is_some_and(|pause| pause.is_paused());
    if paused {
        put(journal, recipe, Pause::Resumed(now)).await?;
    }
    // Also where it was not paused: an earlier attempt may have been broken off here.
    journal.wake(recipe).await?;
    Ok(paused)
}

async fn put(journal: &dyn Journal, recipe: &str, pause: Pause) -> Result<(), Error> {
    let value = serde_json::to_value(pause).unwrap_or(Value::Null);
    journal.put_state(&format!("{PREFIX}{recipe}"), &value).await
}

/// What people last said about a recipe, if anything.
pub async fn pause_of(journal: &dyn Journal, recipe: &str) -> Result<Option<Pause>, Error> {
    let value = journal.state(&format!("{PREFIX}{recipe}")).await?;
    Ok(value.and_then(|value| serde_json::from_value(value).ok()))
}

/// All recipes that are paused, and since when.
pub async fn paused(journal: &(impl Journal + ?Sized)) -> Result<BTreeMap<String, DateTime<Utc>>, Error> {
    let values = journal.states(PREFIX).await?;
    let paused = values.into_iter().filter_map(|(key, value)| {
        match (key.strip_prefix(PREFIX), serde_json::from_value(value)) {
            (Some(recipe), Ok(Pause::Paused(since))) => Some((recipe.to_owned(), since)),
            _ => None,
        }
    });
    Ok(paused.collect())
}

/// Why a run of a paused recipe waits.
pub fn why_paused(recipe: &str) -> String {
    format!("the recipe `{recipe}` is paused; `hob resume {recipe}` lets it go on")
}

/// Puts leased runs of paused recipes to sleep until they are woken; the answer is the others.
pub(super) async fn without_paused(
    journal: &impl Journal,
    leased: Vec<LeasedRun>,
    now: DateTime<Utc>,
) -> Result<Vec<LeasedRun>, Error> {
    if leased.is_empty() {
        return Ok(leased);
    }
    let resting = paused(journal).await?;
    let (asleep, awake): (Vec<_>, Vec<_>) =
        leased.into_iter().partition(|leased| resting.contains_key(&leased.run.recipe));
    for LeasedRun { lease, run, .. } in &asleep {
        // Sleeps until resumed; there is no wake-up time.
        let due = Some(DateTime::<Utc>::MAX_UTC);
        let error = Some(why_paused(&run.recipe));
        let update = RunUpdate { due, error, ..RunUpdate::new(RunState::Waiting, now) };
        journal.record(lease, Vec::new(), update).await?;
    }
    if !asleep.is_empty() {
        // A resume that ran while we put the runs to sleep has not woken them.
        let still = paused(journal).await?;
        for recipe in resting.keys().filter(|recipe| !still.contains_key(*recipe)) {
            journal.wake(recipe).await?;
        }
    }
    Ok(awake)
}
