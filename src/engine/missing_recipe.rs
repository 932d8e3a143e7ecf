//! Runs whose recipe is not loaded: they wait until it is.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::leases::LeaseGuard;
use super::recorder::Recorder;
use super::shared::Shared;
use crate::journal::{Error, LeasedRun, paused};
use crate::run::RunState;

/// How long a run waits before it is checked again, if another process may have its recipe.
const SHARED_STORE_WAIT: TimeDelta = TimeDelta::seconds(15);

/// Puts a run to sleep until its recipe is loaded.
pub(super) async fn wait_for_recipe(shared: &Shared, leased: &LeasedRun, guard: &LeaseGuard) {
    let recipe = &leased.run.recipe;
    let error = format!(
        "waits for its recipe `{recipe}`, which is not loaded; put it back, or give up with `hob runs skip`"
    );
    tracing::warn!(run = %leased.run.id, recipe, "the run waits for its recipe, which is not loaded");
    shared.note_missing_recipe(recipe);
    let mut recorder = Recorder::new(leased, Arc::clone(&shared.services.redactor), None, false);
    let now = shared.services.clock.now();
    let due = match (shared.services.journal.is_shared(), shared.once()) {
        (false, _) => DateTime::<Utc>::MAX_UTC,
        (true, false) => now + SHARED_STORE_WAIT,
        // An engine that stops when nothing is left does not wait for other processes.
        (true, true) => now + TimeDelta::from_std(shared.min_hold()).unwrap_or(SHARED_STORE_WAIT),
    };
    // If this cannot be written, the lease expires instead.
    let _ = recorder.write(&shared.services, guard, RunState::Waiting, Some(due), Some(error)).await;
    // It may have been loaded meanwhile.
    if shared.recipes.current(recipe).is_some() {
        let _ = shared.services.journal.wake(recipe).await;
    }
}

/// Wakes the runs that sleep until one of the recipes, which are loaded now, is there.
pub(super) async fn wake_runs_of_loaded(shared: &Shared) -> Result<(), Error> {
    let journal = &shared.services.journal;
    if journal.is_shared() {
        return Ok(());
    }
    let mut waiting: Vec<String> =
        journal.unfinished(None).await?.into_iter().map(|row| row.recipe).collect();
    waiting.dedup();
    let paused = paused(journal.as_ref()).await?;
    let is_loaded =
        |recipe: &&String| shared.recipes.current(recipe).is_some() && !paused.contains_key(*recipe);
    for recipe in waiting.iter().filter(is_loaded) {
        journal.wake(recipe).await?;
    }
    Ok(())
}
