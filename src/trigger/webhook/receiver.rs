//! From a request to an event and its runs. Pure: storing is the server's part.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde_json::Value;

use super::account::{Owner, owner};
use super::path::PathHook;
use super::recognise::{Recognised, recognise};
use super::verify::{self, Verifier};
use crate::catalog::{Catalog, Connector, Signature, Webhooks, path};
use crate::check::CheckedRecipe;
use crate::event::{DedupKey, Event, EventId, Source};
use crate::journal::NewRun;
use crate::recipe::{Trigger, Webhook};
use crate::run::Accounts;
use crate::trigger::new_run::new_run;
use crate::trigger::surroundings::Surroundings;
use crate::value;

/// Why a request is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nothing is received at this address.
    #[error("nothing is received at /webhooks/{path}; recipes listen at {known}")]
    Unknown {
        /// The address.
        path: String,
        /// Addresses there are.
        known: String,
    },
    /// Nothing proves where it comes from.
    #[error(transparent)]
    Unproven(#[from] verify::Error),
    /// The body is not what it should be.
    #[error("the body is not a JSON object: {0}")]
    NotJson(String),
}

/// A request that is taken, and what it means.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// What to store.
    pub event: Event,
    /// The runs it causes.
    pub runs: Vec<NewRun>,
    /// Why it causes none, where that may surprise.
    pub remark: Option<String>,
}

/// How an app's webhooks are received, where not as its connector says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppSettings {
    /// Take requests without any proof. For tests on one's own machine.
    pub unverified: bool,
    /// Signatures in the place of the connector's.
    pub signatures: Vec<Signature>,
}

/// Receives requests for all recipes. Built anew when recipes change.
pub struct Receiver {
    around: Surroundings,
    apps: HashMap<String, App>,
    paths: HashMap<String, Vec<PathHook>>,
}

struct App {
    connector: Arc<Connector>,
    webhooks: Webhooks,
    verifier: Verifier,
    recipes: Vec<CheckedRecipe>,
}

impl Receiver {
    /// Reads all keys; one that cannot be used is an error now rather than with the first request.
    pub fn new(
        catalog: &Catalog,
        recipes: &[CheckedRecipe],
        around: Surroundings,
        settings: &IndexMap<String, AppSettings>,
    ) -> Result<Self, verify::Error> {
        let mut apps = HashMap::new();
        for connector in catalog.connectors() {
            let Some(webhooks) = &connector.webhooks else { continue };
            let name = &connector.connector;
            let own = settings.get(name).cloned().unwrap_or_default();
            let verifier = match (own.unverified, own.signatures.is_empty()) {
                (true, _) => Verifier::none(),
                (false, true) => Verifier::signatures(&webhooks.signatures)?,
                (false, false) => Verifier::signatures(&own.signatures)?,
            };
            let recipes: Vec<_> = recipes.iter().filter(|recipe| listens_to(recipe, name)).cloned().collect();
            if verifier.is_open() && !recipes.is_empty() {
                tracing::warn!(
                    "webhooks for {name} are accepted from anyone: their signatures are not checked"
                );
            }
            let (connector, webhooks) = (Arc::clone(connector), webhooks.clone());
            apps.insert(name.clone(), App { connector, webhooks, verifier, recipes });
        }
        let mut paths: HashMap<String, Vec<PathHook>> = HashMap::new();
        for recipe in recipes {
            if let Some(hook) = PathHook::of(recipe, &around)? {
                paths.entry(hook.path().to_owned()).or_default().push(hook);
            }
        }
        Ok(Self { around, apps, paths })
    }

    /// Takes in a request to `/webhooks/{path}`: who sent it, what it says, whose it is. `header` reads
    /// the request's headers by name.
    pub fn receive<'h>(
        &self,
        path: &str,
        header: impl Fn(&str) -> Option<&'h [u8]>,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Received, Refused> {
        if let Some(hooks) = self.paths.get(path) {
            return PathHook::receive(hooks, &self.around, header, body, now);
        }
        let Some(app) = self.apps.get(path) else {
            return Err(Refused::Unknown { path: path.to_owned(), known: self.addresses() });
        };
        app.verifier.check(header, body)?;
        let payload = object(body)?;
        Ok(self.take(app, payload, body, now))
    }

    fn take(&self, app: &App, payload: Value, body: &[u8], now: DateTime<Utc>) -> Received {
        let App { connector, webhooks, .. } = app;
        let recognised = recognise(connector, webhooks, &payload);
        let mine = self.around.connections.values().map(AsRef::as_ref);
        let mine = mine.filter(|connection| connection.connector.connector == connector.connector);
        let owner = owner(webhooks, &recognised, &payload, mine);
        let delivery = webhooks.id.as_ref().and_then(|id| path::read(&payload, id));
        let dedup = match delivery.as_ref().and_then(Value::as_str).filter(|id| !id.is_empty()) {
            Some(id) => DedupKey(format!("{}:{id}", recognised.stated.as_deref().unwrap_or_default())),
            None => DedupKey::of_bytes(body),
        };
        let ids = recognised.events.first().map_or(&[][..], |(_, event)| &event.id);
        let event = Event {
            id: EventId::new(),
            source: Source::Connector(connector.connector.clone()),
            kind: recognised.kind(),
            connection: match &owner {
                Owner::Connections(names) => names.first().cloned(),
                Owner::Stranger(_) | Owner::Nobody => None,
            },
            record: ids.iter().find_map(|id| value::id(&path::read(&payload, id)?)),
            dedup,
            received: now,
            payload,
        };
        let (runs, remark) = self.runs(app, &recognised, &owner, &event, now);
        Received { event, runs, remark }
    }

    fn runs(
        &self,
        app: &App,
        recognised: &Recognised<'_>,
        owner: &Owner,
        event: &Event,
        now: DateTime<Utc>,
    ) -> (Vec<NewRun>, Option<String>) {
        if recognised.events.is_empty() {
            return (vec![], Some(format!("the catalog knows no event `{}`", event.kind)));
        }
        if let Owner::Stranger(who) = owner {
            return (vec![], Some(who.clone()));
        }
        let names: Vec<&str> = recognised.events.iter().map(|(name, _)| *name).collect();
        let mut runs = Vec::new();
        for recipe in app.recipes.iter().filter(|recipe| asks_for(recipe, &names)) {
            for accounts in accounts_of(recipe, &app.connector.connector, owner) {
                let scope = self.around.scope(accounts, now);
                runs.push(new_run(recipe, accounts, event, &scope));
            }
        }
        let remark = runs.is_empty().then(|| format!("no recipe asks for `{}`", event.kind));
        (runs, remark)
    }

    fn addresses(&self) -> String {
        let apps = self.apps.values().map(|app| &app.connector.connector);
        let mut known: Vec<String> =
            apps.chain(self.paths.keys()).map(|path| format!("/webhooks/{path}")).collect();
        known.sort();
        if known.is_empty() { "no address".into() } else { known.join(", ") }
    }
}

/// A body that must be a JSON object.
fn object(body: &[u8]) -> Result<Value, Refused> {
    match serde_json::from_slice(body) {
        Ok(payload @ Value::Object(_)) => Ok(payload),
        Ok(Value::Array(_)) => Err(Refused::NotJson("it is a list".into())),
        Ok(_) => Err(Refused::NotJson("it is a single value".into())),
        Err(error) => Err(Refused::NotJson(error.to_string())),
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

/// The combinations that an event is for. One that does not say whose it is is for the first: it
/// happened once.
fn accounts_of<'a>(
    recipe: &'a CheckedRecipe,
    connector: &'a str,
    owner: &'a Owner,
) -> impl Iterator<Item = &'a Accounts> {
    let fits = move |accounts: &&Accounts| match (owner, accounts.get(connector)) {
        (Owner::Connections(names), Some(name)) => names.contains(name),
        _ => true,
    };
    let most = if *owner == Owner::Nobody { 1 } else { usize::MAX };
    recipe.accounts().iter().filter(fits).take(most)
}
