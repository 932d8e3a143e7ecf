//! Paused recipes: their pollers and schedules do not run.

use std::time::Duration;

use crate::journal::{Error, last_pause};
use crate::services::Services;

/// How often the paused state of a recipe is checked.
pub(super) const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Whether the recipe is paused.
pub(super) async fn is_paused(services: &Services, recipe: &str) -> Result<bool, Error> {
    Ok(last_pause(services.journal.as_ref(), recipe).await?.is_some_and(|pause| pause.is_paused()))
}

/// Resolves once the recipe is paused.
pub(super) async fn until_paused(services: &Services, recipe: &str) {
    loop {
        tokio::time::sleep(CHECK_INTERVAL).await;
        // While the store is unavailable, the state is unknown.
        if is_paused(services, recipe).await.unwrap_or(false) {
            return;
        }
    }
}
