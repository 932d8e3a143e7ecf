//! Events that a person sends by hand, for any recipe.

use serde_json::Value;

use super::detect;
use super::new_run::new_run;
use crate::catalog::path;
use crate::check::CheckedRecipe;
use crate::event::{DedupKey, Event, EventId, Source};
use crate::journal::NewRun;
use crate::recipe::{DeliveryId, Trigger, Webhook};
use crate::services::Services;
use crate::value;

/// The event with `payload` for `recipe` and its runs, ready to be appended. Each call makes a new event, even for the
/// same payload.
pub fn event(recipe: &CheckedRecipe, payload: Value, services: &Services) -> (Event, Vec<NewRun>) {
    let id = EventId::new();
    let event = Event {
        source: Source::Manual(recipe.name().to_owned()),
        kind: "manual".into(),
        connection: None,
        record: record(recipe, &payload),
        dedup: DedupKey(id.0.clone()),
        received: services.clock.now(),
        id,
        payload,
    };
    let runs = recipe.accounts().iter();
    let runs = runs.map(|accounts| {
        new_run(recipe, accounts, &event, &services.template_scope(accounts, event.received))
    });
    let runs = runs.collect();
    (event, runs)
}

/// The record that the recipe's trigger would have found in the payload.
fn record(recipe: &CheckedRecipe, payload: &Value) -> Option<String> {
    let in_body = |paths: &[String]| paths.iter().find_map(|path| value::id(&path::read(payload, path)?));
    match recipe.trigger() {
        Trigger::Poll(_) => {
            let listing = recipe.poller()?.list.as_ref()?;
            detect::records(listing, std::slice::from_ref(payload)).pop()
        }
        Trigger::Webhook(Webhook::Events { connector, types, .. }) => {
            let app = recipe.catalog().connector(connector)?;
            types.iter().find_map(|name| in_body(&app.events.get(name.as_str())?.id))
        }
        Trigger::Webhook(Webhook::Path { id: DeliveryId::Path(id), .. }) => {
            in_body(std::slice::from_ref(&id.value))
        }
        Trigger::Webhook(Webhook::Path { .. }) => None,
        Trigger::Schedule(_) | Trigger::Manual(_) => in_body(&["$.id".to_owned()]),
    }
}
