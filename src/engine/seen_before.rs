//! What hob has seen of the record of an event before, for recipes that read what changed.

use super::echo_evidence::EvidenceSearch;
use super::leases::LeaseGuard;
use super::shared::Shared;
use super::store_retry::LeaseLost;
use crate::check::{CheckedRecipe, EventReads};
use crate::journal::LeasedRun;
use crate::recipe::{Trigger, Webhook};
use crate::run::echo::Subject;
use crate::run::{BEFORE, CHANGED, Entry, SeenBefore};

/// What was seen before; `None` where the recipe does not read it, or the run knows already.
pub(super) async fn seen_before(
    shared: &Shared,
    leased: &LeasedRun,
    recipe: &CheckedRecipe,
    guard: &LeaseGuard,
) -> Result<Option<SeenBefore>, LeaseLost> {
    let of_records = matches!(recipe.trigger(), Trigger::Poll(_) | Trigger::Webhook(Webhook::Events { .. }));
    let is_known = leased.entries.iter().any(|stamped| matches!(stamped.entry, Entry::Compared { .. }));
    let is_named =
        |path: &Vec<String>| path.first().is_some_and(|name| [CHANGED, BEFORE].contains(&name.as_str()));
    if !of_records || is_known || !EventReads::from_recipe(recipe.recipe()).event.iter().any(is_named) {
        return Ok(None);
    }
    let subject = Subject::of(recipe, &leased.event, &leased.run.accounts);
    let earlier = match &subject {
        Some(subject) => {
            let history = shared.history(&leased.run.id, guard);
            let search = EvidenceSearch { history, recipe, run: &leased.run };
            search.earlier(&leased.event, subject, |_| true).await?
        }
        None => Vec::new(),
    };
    let earlier = earlier.into_iter().map(|earlier| earlier.report).collect();
    Ok(Some(SeenBefore { event: leased.event.clone(), subject, earlier }))
}
