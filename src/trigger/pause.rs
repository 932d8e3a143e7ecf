//! Paused recipes: their pollers and schedules do not run.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::journal::{Error, PauseSubject, all_paused, last_pause};
use crate::run::Accounts;
use crate::services::Services;

/// How often the paused state of a recipe is checked.
pub(super) const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Whether the recipe is paused, everywhere or on one of these accounts.
pub(super) async fn is_paused(services: &Services, recipe: &str, accounts: &Accounts) -> Result<bool, Error> {
    let paused = all_paused(services.journal.as_ref()).await?;
    Ok(paused.of(recipe, accounts.values()).is_some())
}

/// Whether `time` fell into a pause of the recipe, everywhere or on one of these accounts.
pub(super) async fn was_paused(
    services: &Services,
    recipe: &str,
    accounts: &Accounts,
    time: DateTime<Utc>,
) -> Result<bool, Error> {
    let on = accounts.values().map(|connection| PauseSubject::on(recipe, connection));
    for subject in std::iter::once(PauseSubject::recipe(recipe)).chain(on) {
        if last_pause(services.journal.as_ref(), &subject).await?.is_some_and(|pause| pause.covers(time)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Resolves once the recipe is paused, everywhere or on one of these accounts.
pub(super) async fn until_paused(services: &Services, recipe: &str, accounts: &Accounts) {
    loop {
        tokio::time::sleep(CHECK_INTERVAL).await;
        // While the store is unavailable, the state is unknown.
        if is_paused(services, recipe, accounts).await.unwrap_or(false) {
            return;
        }
    }
}
