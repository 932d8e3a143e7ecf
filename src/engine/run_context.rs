//! Builds the context of a run.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::leases::LeaseGuard;
use super::seen_before::seen_before;
use super::shared::Shared;
use super::store_retry::{LeaseLost, with_store_retry};
use crate::check::CheckedRecipe;
use crate::journal::LeasedRun;
use crate::run::RunContext;

/// The context of the run of `leased`, and what is known of its event's record.
pub(super) async fn run_context(
    shared: &Shared,
    leased: &LeasedRun,
    recipe: &CheckedRecipe,
    guard: &LeaseGuard,
) -> Result<RunContext, LeaseLost> {
    let services = &shared.services;
    let connections = services.connection_values(&leased.run.accounts);
    let mut links = Map::new();
    // Most recipes use no links and need no query.
    if let Some(record) = leased.event.record.as_ref().filter(|_| recipe.recipe().text().contains("links")) {
        let known =
            with_store_retry(&leased.run.id, guard, || services.journal.links_by_record(record)).await?;
        links.extend(known.into_iter().map(|link| {
            let other = if link.from == *record { link.to } else { link.from };
            (link.name, Value::from(other))
        }));
    }
    let skip_waits = shared.options.dry_run;
    let ahead = services.clock.ahead();
    let feedback = shared.recipes.feedback();
    let seen_before = seen_before(shared, leased, recipe, guard).await?.map(Arc::new);
    let env = Arc::clone(&shared.env);
    let loop_limit = shared.options.loop_limit;
    Ok(RunContext { env, connections, links, ahead, skip_waits, feedback, seen_before, loop_limit })
}
