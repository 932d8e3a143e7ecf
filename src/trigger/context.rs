//! What triggers work with: the journal, the accounts, and the names that their templates see.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::claims::Claims;
use super::progress::OnPage;
use crate::clock::Clock;
use crate::connection::Connection;
use crate::journal::Journal;
use crate::request::Client;
use crate::run::Accounts;
use crate::template::Scope;

/// What triggers work with. Cheap to clone.
#[derive(Clone)]
pub struct TriggerContext {
    /// Where events and cursors go.
    pub journal: Arc<dyn Journal>,
    /// Sends requests.
    pub client: Client,
    /// The time.
    pub clock: Clock,
    /// Accounts by name.
    pub connections: Arc<IndexMap<String, Arc<Connection>>>,
    /// The environment names that the workspace lists, with their values.
    pub env: Arc<Map<String, Value>>,
    /// What this process acts for, where several share the store.
    pub claims: Claims,
    /// Told of every page of a poll.
    pub on_page: OnPage,
}

impl TriggerContext {
    /// The names that the templates of a trigger on these accounts see: `env` and `connection`, which
    /// holds name and settings of each account under its connector.
    pub fn scope(&self, accounts: &Accounts, now: DateTime<Utc>) -> Scope {
        let known = |(connector, name): (&String, &String)| {
            Some((connector.clone(), self.connections.get(name)?.template_values()))
        };
        let connection: Map<String, Value> = accounts.iter().filter_map(known).collect();
        Scope::new(now)
            .with("env", Value::Object(self.env.as_ref().clone()))
            .with("connection", Value::Object(connection))
    }
}
