//! Turns a request into an event and its runs. Pure: the server stores them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde_json::Value;

use super::absent::{Absent, Listener};
use super::body::Delivery;
use super::identify_event::{IdentifiedEvent, identify_event};
use super::path::PathHook;
use super::received::{Received, Refused};
use super::routing::{Owner, owner};
use super::verify::{self, Verifier};
use crate::catalog::{Catalog, Connector, Signature, Webhooks, path};
use crate::check::CheckedRecipe;
use crate::event::{DedupKey, Event, EventId, Source};
use crate::journal::NewRun;
use crate::recipe::{Trigger, Webhook, plain_path};
use crate::run::Accounts;
use crate::services::Services;
use crate::trigger::new_run::new_run;
use crate::value;

/// Settings for receiving an app's webhooks, where they differ from its connector.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppSettings {
    /// Accept requests without verification. For tests on one's own machine.
    pub unverified: bool,
    /// Signatures that replace the connector's.
    pub signatures: Vec<Signature>,
    /// Also accept those of the connector's signatures that its sender has replaced by newer ones.
    pub legacy: bool,
}

impl AppSettings {
    /// The verifier for requests from an app that describes `webhooks`.
    fn verifier(&self, webhooks: &Webhooks) -> Result<Verifier, verify::Error> {
        if self.unverified {
            return Ok(Verifier::none());
        }
        if !self.signatures.is_empty() {
            return Verifier::signatures(&self.signatures);
        }
        let current = |signature: &&Signature| self.legacy || !signature.legacy;
        let signatures: Vec<Signature> = webhooks.signatures.iter().filter(current).cloned().collect();
        match (signatures.is_empty(), webhooks.signatures.first()) {
            // Having only legacy signatures is not the same as having none.
            (true, Some(Signature { header, .. })) => {
                let reason =
                    "its sender has replaced it; `legacy_signatures: true` in hob.yaml takes it".to_owned();
                Err(verify::Error::Key { header: header.clone(), reason })
            }
            _ => Verifier::signatures(&signatures),
        }
    }
}

/// Receives requests for all recipes. Rebuilt when recipes change.
pub struct Receiver {
    services: Services,
    apps: HashMap<String, App>,
    paths: HashMap<String, Vec<PathHook>>,
    absent: Absent,
}

struct App {
    connector: Arc<Connector>,
    webhooks: Webhooks,
    verifier: Verifier,
    recipes: Vec<CheckedRecipe>,
}

impl Receiver {
    /// Reads all keys. Senders whose key cannot be used are asked to retry later.
    pub fn new(
        catalog: &Catalog,
        recipes: &[CheckedRecipe],
        services: Services,
        settings: &IndexMap<String, AppSettings>,
    ) -> Self {
        let mut absent = Absent::default();
        let mut apps = HashMap::new();
        for connector in catalog.connectors() {
            let Some(webhooks) = &connector.webhooks else { continue };
            let name = &connector.connector;
            let recipes: Vec<_> = recipes.iter().filter(|recipe| listens_to(recipe, name)).cloned().collect();
            if recipes.is_empty() {
                continue;
            }
            let own = settings.get(name).cloned().unwrap_or_default();
            let verifier = match own.verifier(webhooks) {
                Ok(verifier) => verifier,
                Err(error) => {
                    tracing::error!(
                        "nothing can prove that it comes from {name}, so its events are refused: {error}"
                    );
                    recipes.iter().for_each(|recipe| absent.wait_for(listeners(recipe.trigger())));
                    continue;
                }
            };
            if verifier.is_open() {
                tracing::warn!(
                    "webhooks for {name} are accepted from anyone: their signatures are not checked"
                );
            }
            let (connector, webhooks) = (Arc::clone(connector), webhooks.clone());
            apps.insert(name.clone(), App { connector, webhooks, verifier, recipes });
        }
        let mut paths: HashMap<String, Vec<PathHook>> = HashMap::new();
        let mut closed: HashSet<Listener> = HashSet::new();
        for recipe in recipes {
            match PathHook::for_recipe(recipe, &services) {
                Ok(Some(hook)) => paths.entry(hook.path().to_owned()).or_default().push(hook),
                Ok(None) => {}
                Err(error) => {
                    // `unusable_key` has already reported where the key is.
                    let recipe_name = recipe.name();
                    tracing::warn!(
                        recipe = recipe_name,
                        "senders are asked to try again later, as nothing can prove itself: {error}"
                    );
                    closed.extend(listeners(recipe.trigger()));
                }
            }
        }
        // Other recipes at the same path are not started either without the verification that one of them requires.
        paths.retain(|path, _| !closed.contains(&Listener::Path(path.clone())));
        absent.wait_for(closed);
        Self { services, apps, paths, absent }
    }

    /// Asks senders to `listeners`, whose recipes exist and cannot run, to retry.
    pub fn waiting_for(mut self, listeners: impl IntoIterator<Item = Listener>) -> Self {
        self.absent.wait_for(listeners);
        self
    }

    /// Takes over from the receiver `before`: listeners that it had and this one lacks become absent.
    pub fn following(self, before: &Self, now: DateTime<Utc>) -> Self {
        let absent = self.absent.clone().since(&before.listeners(), &before.absent, &self.listeners(), now);
        Self { absent, ..self }
    }

    fn listeners(&self) -> HashSet<Listener> {
        let paths = self.paths.keys().cloned().map(Listener::Path);
        let recipes = self.apps.values().flat_map(|app| &app.recipes);
        paths.chain(recipes.flat_map(|recipe| listeners(recipe.trigger()))).collect()
    }

    /// Whether there is anything at `/webhooks/{path}`.
    pub fn knows(&self, path: &str, now: DateTime<Utc>) -> bool {
        let path = plain_path(path);
        self.paths.contains_key(&path) || self.apps.contains_key(&path) || self.is_away(&path, now)
    }

    /// The path at which recipes listen, without leading or trailing slashes, if `/webhooks/{path}` leads there.
    pub fn listening_at(&self, path: &str) -> Option<String> {
        let path = plain_path(path);
        (self.paths.contains_key(&path) || self.apps.contains_key(&path)).then_some(path)
    }

    fn is_away(&self, path: &str, now: DateTime<Utc>) -> bool {
        self.absent.has_app(path, now) || self.absent.is_waited_for(&Listener::Path(path.to_owned()), now)
    }

    /// Whether pages of `origin` may send requests to `/webhooks/{path}` from a browser.
    pub fn allows(&self, path: &str, origin: &str) -> bool {
        let hooks = self.paths.get(&plain_path(path));
        hooks.is_some_and(|hooks| hooks.iter().any(|hook| hook.allows(origin)))
    }

    /// Whether the head of a request allows it to be accepted: the address exists, and a header for the verification is
    /// present.
    pub fn admit<'h>(
        &self,
        path: &str,
        header: &(dyn Fn(&str) -> Option<&'h [u8]> + 'h),
        now: DateTime<Utc>,
    ) -> Result<(), Refused> {
        let path = plain_path(path);
        let mut verifiers: Vec<&Verifier> = Vec::new();
        match (self.paths.get(&path), self.apps.get(&path)) {
            (_, Some(app)) => verifiers.push(&app.verifier),
            (Some(hooks), None) => verifiers.extend(PathHook::verifying(hooks).map(PathHook::verifier)),
            (None, None) if self.is_away(&path, now) => return Err(Refused::Absent),
            (None, None) => return Err(Refused::Unknown),
        }
        let mut lacking = None;
        for verifier in verifiers {
            match verifier.lacks(header) {
                None => return Ok(()),
                Some(error) => lacking = Some(error),
            }
        }
        lacking.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Receives a request: verifies it, reads its payload and finds the connections that it belongs to.
    pub fn receive(&self, delivery: &Delivery<'_>) -> Result<Received, Refused> {
        let path = plain_path(delivery.path);
        // A recipe's own path never replaces the address of an app.
        if let Some(app) = self.apps.get(&path) {
            app.verifier.check(delivery.header, delivery.body)?;
            return self.take(app, delivery.object()?, delivery.body, delivery.received);
        }
        if let Some(hooks) = self.paths.get(&path) {
            return PathHook::receive(hooks, &self.services, delivery);
        }
        match self.is_away(&path, delivery.received) {
            true => Err(Refused::Absent),
            false => Err(Refused::Unknown),
        }
    }

    fn take(&self, app: &App, payload: Value, body: &[u8], now: DateTime<Utc>) -> Result<Received, Refused> {
        let App { connector, webhooks, .. } = app;
        let recognised = identify_event(connector, webhooks, &payload);
        let mine = self.services.connections.values().map(AsRef::as_ref);
        let mine = mine.filter(|connection| connection.connector.connector == connector.connector);
        let owner = owner(webhooks, &recognised, &payload, mine);
        let delivery = webhooks.id.as_ref().and_then(|id| path::read(&payload, id));
        let dedup = match delivery.as_ref().and_then(Value::as_str).filter(|id| !id.is_empty()) {
            Some(id) => DedupKey(format!("{}:{id}", recognised.stated.as_deref().unwrap_or_default())),
            None => DedupKey::from_bytes(body),
        };
        let dedup = if app.verifier.is_open() { dedup.anonymous() } else { dedup };
        let ids = recognised.events.first().map_or(&[][..], |(_, event)| &event.id);
        let event = Event {
            id: EventId::new(),
            source: Source::Connector(connector.connector.clone()),
            kind: recognised.kind(),
            connection: match &owner {
                Owner::Connections(names) => names.first().cloned(),
                Owner::UnknownAccount(_) | Owner::Unknown => None,
            },
            record: ids.iter().find_map(|id| value::id(&path::read(&payload, id)?)),
            dedup,
            received: now,
            payload,
        };
        let (runs, remark) = self.runs(app, &recognised, &owner, &event, now);
        let away = |(name, _): &(&str, _)| {
            let listener = Listener::Event { app: connector.connector.clone(), name: (*name).to_owned() };
            self.absent.is_waited_for(&listener, now)
        };
        if runs.is_empty() && recognised.events.iter().any(away) {
            return Err(Refused::Absent);
        }
        Ok(Received { event, runs, remark, window: None })
    }

    fn runs(
        &self,
        app: &App,
        recognised: &IdentifiedEvent<'_>,
        owner: &Owner,
        event: &Event,
        now: DateTime<Utc>,
    ) -> (Vec<NewRun>, Option<String>) {
        if recognised.events.is_empty() {
            return (vec![], Some(format!("the catalog knows no event `{}`", event.kind)));
        }
        if let Owner::UnknownAccount(who) = owner {
            return (vec![], Some(who.clone()));
        }
        let names: Vec<&str> = recognised.events.iter().map(|(name, _)| *name).collect();
        let mut runs = Vec::new();
        for recipe in app.recipes.iter().filter(|recipe| asks_for(recipe, &names)) {
            for accounts in accounts_of(recipe, &app.connector.connector, owner) {
                let scope = self.services.template_scope(accounts, now);
                runs.push(new_run(recipe, accounts, event, &scope));
            }
        }
        let remark = runs.is_empty().then(|| format!("no recipe asks for `{}`", event.kind));
        (runs, remark)
    }
}

/// The listeners of a recipe with this trigger.
pub fn listeners(trigger: &Trigger) -> Vec<Listener> {
    match trigger {
        Trigger::Webhook(Webhook::Path { path, .. }) => vec![Listener::Path(plain_path(path))],
        Trigger::Webhook(Webhook::Events { connector, types, .. }) => {
            let event = |name: &String| Listener::Event { app: connector.clone(), name: name.clone() };
            types.iter().map(|name| event(name)).collect()
        }
        Trigger::Poll(_) | Trigger::Schedule(_) | Trigger::Manual(_) => vec![],
    }
}

fn listens_to(recipe: &CheckedRecipe, app: &str) -> bool {
    matches!(recipe.trigger(), Trigger::Webhook(Webhook::Events { connector, .. }) if connector == app)
}

fn asks_for(recipe: &CheckedRecipe, events: &[&str]) -> bool {
    match recipe.trigger() {
        Trigger::Webhook(Webhook::Events { types, .. }) => {
            types.iter().any(|name| events.contains(&name.as_str()))
        }
        _ => false,
    }
}

/// The account combinations that an event is for. An event that does not name its account is for the first one only,
/// because it happened once.
fn accounts_of<'a>(
    recipe: &'a CheckedRecipe,
    connector: &'a str,
    owner: &'a Owner,
) -> impl Iterator<Item = &'a Accounts> {
    let fits = move |accounts: &&Accounts| match (owner, accounts.get(connector)) {
        (Owner::Connections(names), Some(name)) => names.contains(name),
        _ => true,
    };
    let most = if *owner == Owner::Unknown { 1 } else { usize::MAX };
    recipe.accounts().iter().filter(fits).take(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_whose_signatures_are_all_replaced_is_not_open() {
        let key = include_str!("../../../tests/keys/rsa-public.pem");
        let signature =
            serde_json::json!({ "header": "X-Old", "algorithm": "rsa_sha256", "key": key, "legacy": true });
        let webhooks: Webhooks =
            serde_json::from_value(serde_json::json!({ "type": "$.type", "signatures": [signature] }))
                .unwrap();
        let error = AppSettings::default().verifier(&webhooks).unwrap_err().to_string();
        assert!(error.contains("X-Old") && error.contains("legacy_signatures"), "{error}");
        let asked_for = AppSettings { legacy: true, ..AppSettings::default() };
        assert!(!asked_for.verifier(&webhooks).unwrap().is_open());
    }
}
