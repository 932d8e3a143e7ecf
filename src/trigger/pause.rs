//! Recipes that are paused: their pollers and schedules rest.

use std::time::Duration;

use super::context::TriggerContext;
use crate::journal::{Error, pause_of};

/// How often a paused recipe is looked at, to see whether it goes on; and one at work, whether it rests.
pub(super) const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Whether the recipe is paused.
pub(super) async fn is_paused(context: &TriggerContext, recipe: &str) -> Result<bool, Error> {
    Ok(pause_of(context.journal.as_ref(), recipe).await?.is_some_and(|pause| pause.is_paused()))
}

/// Resolves once the recipe is paused.
pub(super) async fn until_paused(context: &TriggerContext, recipe: &str) {
    loop {
        tokio::time::sleep(CHECK_INTERVAL).await;
        // A store that is away says nothing.
        if is_paused(context, recipe).await.unwrap_or(false) {
            return;
        }
    }
}
