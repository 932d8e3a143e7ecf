//! What triggers, engine and server work with.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::clock::Clock;
use crate::connection::Connection;
use crate::journal::Journal;
use crate::request::Client;
use crate::run::Accounts;
use crate::secret::Redactor;
use crate::template::Scope;

/// What triggers, engine and server work with, put together once. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    /// Where events, runs, their entries and cursors are kept.
    pub journal: Arc<dyn Journal>,
    /// Sends requests.
    pub client: Client,
    /// The time. Pauses and leases end by its steady form.
    pub clock: Clock,
    /// Connections by name.
    pub connections: Arc<IndexMap<String, Arc<Connection>>>,
    /// The environment names that the workspace lists, with their values.
    pub env: Arc<Map<String, Value>>,
    /// Takes secrets out of what is recorded and logged for people.
    pub redactor: Arc<Redactor>,
}

impl Services {
    /// What templates see as `connection` where these are chosen: of each, by its connector, name and settings.
    pub fn connection_values(&self, accounts: &Accounts) -> Map<String, Value> {
        let values = |(connector, name): (&String, &String)| {
            Some((connector.clone(), self.connections.get(name)?.template_values()))
        };
        accounts.iter().filter_map(values).collect()
    }

    /// The names that every template sees at `now`: `env` and `connection`.
    pub fn template_scope(&self, accounts: &Accounts, now: DateTime<Utc>) -> Scope {
        Scope::new(now)
            .with("env", Value::Object(self.env.as_ref().clone()))
            .with("connection", Value::Object(self.connection_values(accounts)))
    }
}
