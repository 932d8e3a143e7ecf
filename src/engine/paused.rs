//! Which recipes are paused, checked regularly, so that a run in progress ends its step and waits.

use std::collections::BTreeSet;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use crate::journal::{Journal, paused};

/// Interval between checks.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Names of the paused recipes, as of the last check.
#[derive(Debug, Default)]
pub(super) struct PausedRecipes(RwLock<BTreeSet<String>>);

impl PausedRecipes {
    /// Whether the recipe is paused.
    pub(super) fn contains(&self, recipe: &str) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains(recipe)
    }

    /// Checks regularly. Never returns.
    pub(super) async fn follow(&self, journal: &dyn Journal) {
        loop {
            // While the store is unavailable, the last known state applies.
            if let Ok(now) = paused(journal).await {
                self.take(now.into_keys().collect());
            }
            tokio::time::sleep(CHECK_INTERVAL).await;
        }
    }

    fn take(&self, now: BTreeSet<String>) {
        let before =
            std::mem::replace(&mut *self.0.write().unwrap_or_else(PoisonError::into_inner), now.clone());
        for recipe in now.difference(&before) {
            tracing::info!(recipe, "the recipe is paused");
        }
        for recipe in before.difference(&now) {
            tracing::info!(recipe, "the recipe goes on after its pause");
        }
    }
}
