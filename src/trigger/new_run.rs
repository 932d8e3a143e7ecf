//! The runs that an event starts, each in its lane.

use std::time::Duration;

use serde_json::Value;

use crate::catalog::RecordChange;
use crate::check::CheckedRecipe;
use crate::event::{Event, Source};
use crate::journal::NewRun;
use crate::recipe::{Trigger, Webhook};
use crate::run::{Accounts, Run, RunId, about};
use crate::template::Scope;
use crate::value::short_id;

/// The run of `recipe` on `accounts` that `event` starts. `scope` is the template scope of the trigger.
pub(super) fn new_run(recipe: &CheckedRecipe, accounts: &Accounts, event: &Event, scope: &Scope) -> NewRun {
    let id = RunId::new();
    let usual = || event.record.clone().unwrap_or_else(|| event.id.to_string());
    let lane = match &recipe.recipe().lane {
        None => usual(),
        Some(template) => {
            let run = Run {
                id: id.clone(),
                event: event.id.clone(),
                recipe: recipe.name().to_owned(),
                version: None,
                accounts: accounts.clone(),
                lane: String::new(),
                created: event.received,
            };
            let scope = scope.clone().with("event", event.payload.clone()).with("run", about(&run, event));
            match template.evaluate(&scope) {
                Ok(Value::String(text)) => text,
                Ok(Value::Null) => usual(),
                Ok(other) => other.to_string(),
                Err(error) => {
                    // Runs for one record are still ordered; the reason is for the recipe's author.
                    tracing::warn!(
                        recipe = recipe.name(),
                        event = %event.id,
                        %error,
                        "`lane` cannot be evaluated; the record's id is used as the lane"
                    );
                    usual()
                }
            }
        }
    };
    let lane = short_id(lane);
    let coalesce = coalesce(recipe, event);
    NewRun { id, recipe: recipe.name().to_owned(), accounts: accounts.clone(), lane, coalesce }
}

/// How long the run waits for later events about its record. One that a person sends does not wait, nor one that tells
/// that the record is gone: an older one may come after it, which must not take its place.
fn coalesce(recipe: &CheckedRecipe, event: &Event) -> Option<Duration> {
    match (recipe.trigger(), &event.source, &event.record) {
        (_, Source::Manual(_), _) | (_, _, None) => None,
        (Trigger::Webhook(Webhook::Events { connector, coalesce, .. }), ..) => {
            let connector = recipe.catalog().connector(connector);
            let mut told = event.kind.names().filter_map(|name| connector?.events.get(name));
            coalesce.filter(|_| !told.any(|told| told.change == Some(RecordChange::Removed)))
        }
        _ => None,
    }
}
