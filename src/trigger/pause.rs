//! Recipes that are paused: their pollers and schedules rest.

use std::time::Duration;

use crate::journal::{Error, pause_of};
use crate::services::Services;

/// How often a paused recipe is looked at, to see whether it goes on; and one at work, whether it rests.
pub(super) const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Whether the recipe is paused.
pub(super) async fn is_paused(services: &Services, recipe: &str) -> Result<bool, Error> {
    Ok(pause_of(services.journal.as_ref(), recipe).await?.is_some_and(|pause| pause.is_paused()))
}

/// Resolves once the recipe is paused.
pub(super) async fn until_paused(services: &Services, recipe: &str) {
    loop {
        tokio::time::sleep(CHECK_INTERVAL).await;
        // A store that is away says nothing.
        if is_paused(services, recipe).await.unwrap_or(false) {
            return;
        }
    }
}
