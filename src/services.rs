//! What triggers, engine and server need to work.

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

/// What triggers, engine and server need to work, assembled once. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    /// The store of events, runs and cursors.
    pub journal: Arc<dyn Journal>,
    /// The HTTP client.
    pub client: Client,
    /// The clock. Pauses and leases use its steady form.
    pub clock: Clock,
    /// Connections by name.
    pub connections: Arc<IndexMap<String, Arc<Connection>>>,
    /// The environment variables that the workspace lists.
    pub env: Arc<Map<String, Value>>,
    /// Redacts secrets from texts that are recorded or logged.
    pub redactor: Arc<Redactor>,
}

impl Services {
    /// The value of `connection` in templates: the chosen connections by connector, each with its name and settings.
    pub fn connection_values(&self, accounts: &Accounts) -> Map<String, Value> {
        let values = |(connector, name): (&String, &String)| {
            Some((connector.clone(), self.connections.get(name)?.template_values()))
        };
        accounts.iter().filter_map(values).collect()
    }

    /// The names that every template can read at `now`: `env` and `connection`.
    pub fn template_scope(&self, accounts: &Accounts, now: DateTime<Utc>) -> Scope {
        Scope::new(now)
            .with("env", Value::Object(self.env.as_ref().clone()))
            .with("connection", Value::Object(self.connection_values(accounts)))
    }
}
