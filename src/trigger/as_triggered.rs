//! The event that a recipe's own trigger would make of a payload, for trying the recipe.

use serde_json::Value;

use super::manual;
use super::new_run::new_run;
use super::poller::cursor_key;
use super::webhook::identify_event;
use crate::check::CheckedRecipe;
use crate::diagnostic::closest;
use crate::event::{Event, Source};
use crate::journal::NewRun;
use crate::recipe::{Trigger, Webhook, plain_path};
use crate::run::Accounts;
use crate::services::Services;

/// The kinds of events of polls.
const POLLED: [&str; 3] = ["new", "changed", "removed"];

/// The event that the trigger of `recipe` would make of `payload` on its first accounts, and its run. `kind` is the
/// kind of the event, if the payload does not show it. The error says why there is no such event.
pub fn as_triggered(
    recipe: &CheckedRecipe,
    payload: Value,
    kind: Option<&str>,
    services: &Services,
) -> Result<(Event, Vec<NewRun>), String> {
    let accounts = recipe.accounts().first().cloned().unwrap_or_default();
    let (mut event, _) = manual::event(recipe, payload, services);
    let connection = |connector: &str| accounts.get(connector).cloned();
    match recipe.trigger() {
        Trigger::Poll(_) => {
            let kind = kind.unwrap_or(POLLED[0]);
            is_one_of(kind, POLLED)?;
            event.connection = recipe.poller().and_then(|poller| connection(&poller.connector));
            event.source = Source::Poll(cursor_key(recipe.name(), &accounts));
            event.kind = kind.into();
        }
        Trigger::Webhook(Webhook::Events { connector, types, .. }) => {
            let expected: Vec<&str> = types.iter().map(|name| name.value.as_str()).collect();
            let shown = match kind {
                Some(kind) => vec![kind.to_owned()],
                None => event_names(recipe, connector, &event.payload),
            };
            let name = match (shown.as_slice(), expected.as_slice()) {
                // Nothing else can have come.
                ([], [only]) => only,
                ([], _) => "unknown",
                ([first, ..], _) => {
                    shown.iter().find(|name| expected.contains(&name.as_str())).unwrap_or(first).as_str()
                }
            };
            is_one_of(name, expected)?;
            event.kind = name.into();
            event.connection = connection(connector);
            event.source = Source::Connector(connector.clone());
        }
        Trigger::Webhook(Webhook::Path { path, .. }) => event.source = Source::Path(plain_path(path)),
        Trigger::Schedule(_) => event.source = Source::Schedule(recipe.name().to_owned()),
        Trigger::Manual(_) => {}
    }
    let run = run(recipe, &accounts, &event, services);
    Ok((event, vec![run]))
}

/// The names of the events that the body of a webhook may be.
fn event_names(recipe: &CheckedRecipe, connector: &str, body: &Value) -> Vec<String> {
    let Some(app) = recipe.catalog().connector(connector) else { return Vec::new() };
    let Some(webhooks) = &app.webhooks else { return Vec::new() };
    identify_event(app, webhooks, body).events.into_iter().map(|(name, _)| name.to_owned()).collect()
}

fn run(recipe: &CheckedRecipe, accounts: &Accounts, event: &Event, services: &Services) -> NewRun {
    let scope = services.template_scope(accounts, event.received);
    NewRun { coalesce: None, ..new_run(recipe, accounts, event, &scope) }
}

fn is_one_of<'a>(kind: &str, known: impl IntoIterator<Item = &'a str>) -> Result<(), String> {
    let known: Vec<&str> = known.into_iter().collect();
    if known.contains(&kind) {
        return Ok(());
    }
    let near = closest(kind, known.iter().copied()).map(|near| format!("; {near}")).unwrap_or_default();
    Err(format!("an event of this recipe is {}, not `{kind}`{near}", known.join(" or ")))
}
