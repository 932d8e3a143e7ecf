//! Recipes that are paused: their pollers and schedules rest.

use std::time::Duration;

use super::surroundings::Surroundings;
use crate::journal::{Error, pause_of};

/// How often a paused recipe is looked at, to see whether it goes on; and one at work, whether it rests.
pub(super) const LOOK: Duration = Duration::from_secs(1);

/// Whether the recipe is paused.
pub(super) async fn is_paused(around: &Surroundings, recipe: &str) -> Result<bool, Error> {
    Ok(pause_of(around.journal.as_ref(), recipe).await?.is_some_and(|pause| pause.is_paused()))
}

/// Resolves once the recipe is paused.
pub(super) async fn until_paused(around: &Surroundings, recipe: &str) {
    loop {
        tokio::time::sleep(LOOK).await;
        // A store that is away says nothing.
        if is_paused(around, recipe).await.unwrap_or(false) {
            return;
        }
    }
}
