//! What is paused, checked regularly, so that a run in progress ends its step and waits.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use crate::journal::{Journal, Paused, all_paused};
use crate::run::Accounts;

/// Interval between checks.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// What is paused, as of the last check.
#[derive(Debug, Default)]
pub(super) struct PausedRecipes(RwLock<Paused>);

impl PausedRecipes {
    /// Whether the recipe is paused, everywhere or on one of these accounts.
    pub(super) fn contains(&self, recipe: &str, accounts: &Accounts) -> bool {
        let paused = self.0.read().unwrap_or_else(PoisonError::into_inner);
        paused.of(recipe, accounts.values()).is_some()
    }

    /// Checks regularly. Never returns.
    pub(super) async fn follow(&self, journal: &dyn Journal) {
        loop {
            // While the store is unavailable, the last known state applies.
            if let Ok(now) = all_paused(journal).await {
                self.take(now);
            }
            tokio::time::sleep(CHECK_INTERVAL).await;
        }
    }

    fn take(&self, now: Paused) {
        let before =
            std::mem::replace(&mut *self.0.write().unwrap_or_else(PoisonError::into_inner), now.clone());
        for what in now.without(&before) {
            tracing::info!(recipe = %what, "the recipe is paused");
        }
        for what in before.without(&now) {
            tracing::info!(recipe = %what, "the recipe goes on after its pause");
        }
    }
}
