//! Paused recipes. Stored among the values, so that every store handles and exports them alike.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Error, Journal, LeasedRun, RunUpdate};
use crate::run::RunState;

/// Prefix of the keys of values that belong to hob itself.
pub const RESERVED_PREFIX: &str = "hob:";
/// Prefix of the keys of pauses; followed by the recipe's name.
const PREFIX: &str = "hob:pause:";

/// Whether a recipe is paused, as last set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pause {
    /// Paused since this time.
    Paused(DateTime<Utc>),
    /// Resumed at this time after a pause.
    Resumed(DateTime<Utc>),
}

impl Pause {
    /// Whether the recipe is paused.
    pub fn is_paused(&self) -> bool {
        matches!(self, Pause::Paused(_))
    }

    /// Whether `time` falls into the pause.
    pub fn covers(&self, time: DateTime<Utc>) -> bool {
        match self {
            Pause::Paused(_) => true,
            Pause::Resumed(at) => time <= *at,
        }
    }
}

/// Pauses a recipe: its pollers and schedules stop and its runs wait. Returns whether it was running before.
pub async fn pause(journal: &dyn Journal, recipe: &str, now: DateTime<Utc>) -> Result<bool, Error> {
    if last_pause(journal, recipe).await?.is_some_and(|pause| pause.is_paused()) {
        return Ok(false);
    }
    put(journal, recipe, Pause::Paused(now)).await?;
    Ok(true)
}

/// Resumes a paused recipe, including what has arrived meanwhile; returns whether it was paused.
pub async fn resume(journal: &dyn Journal, recipe: &str, now: DateTime<Utc>) -> Result<bool, Error> {
    let paused = last_pause(journal, recipe).await?.is_some_and(|pause| pause.is_paused());
    if paused {
        put(journal, recipe, Pause::Resumed(now)).await?;
    }
    // Also if it was not paused: an earlier resume may have been interrupted here.
    journal.wake(recipe).await?;
    Ok(paused)
}

async fn put(journal: &dyn Journal, recipe: &str, pause: Pause) -> Result<(), Error> {
    let value = serde_json::to_value(pause).unwrap_or(Value::Null);
    journal.put_state(&format!("{PREFIX}{recipe}"), &value).await
}

/// The last pause or resume of a recipe, if any.
pub async fn last_pause(journal: &dyn Journal, recipe: &str) -> Result<Option<Pause>, Error> {
    let value = journal.state(&format!("{PREFIX}{recipe}")).await?;
    Ok(value.and_then(|value| serde_json::from_value(value).ok()))
}

/// All paused recipes and the times of their pauses.
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

/// The reason shown for a waiting run of a paused recipe.
pub fn pause_reason(recipe: &str) -> String {
    format!("the recipe `{recipe}` is paused; `hob resume {recipe}` lets it go on")
}

/// Puts leased runs of paused recipes to sleep until they are woken; returns the others.
pub(super) async fn put_paused_to_sleep(
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
        let error = Some(pause_reason(&run.recipe));
        let update = RunUpdate { due, error, ..RunUpdate::new(RunState::Waiting, now) };
        journal.record(lease, Vec::new(), update).await?;
    }
    if !asleep.is_empty() {
        // A resume that happened meanwhile has not woken these runs.
        let still = paused(journal).await?;
        for recipe in resting.keys().filter(|recipe| !still.contains_key(*recipe)) {
            journal.wake(recipe).await?;
        }
    }
    Ok(awake)
}
