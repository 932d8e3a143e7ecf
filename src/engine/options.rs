//! What an engine works with, and how.

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::RecipeVersions;
use crate::clock::Clock;
use crate::connection::Connection;
use crate::journal::Journal;
use crate::request::Client;
use crate::secret::Redactor;

/// What an engine works with.
#[derive(Clone)]
pub struct Services {
    /// Where runs come from and their entries go.
    pub journal: Arc<dyn Journal>,
    /// The recipes.
    pub recipes: RecipeVersions,
    /// Accounts by name.
    pub connections: Arc<IndexMap<String, Arc<Connection>>>,
    /// Sends requests.
    pub client: Client,
    /// The time.
    pub clock: Clock,
    /// The environment names that the workspace lists, with their values.
    pub env: Arc<Map<String, Value>>,
    /// Takes secrets out of what is recorded and logged for people.
    pub redactor: Arc<Redactor>,
}

/// How an engine works.
#[derive(Debug, Clone)]
pub struct Options {
    /// Name of this worker among those that share the journal.
    pub owner: String,
    /// Runs in flight.
    pub concurrency: usize,
    /// How long a run stays ours without a sign of life.
    pub lease: Duration,
    /// Longest wait for a retry or a timer before `run_until_idle` calls it idle.
    pub horizon: Duration,
    /// Longest time to let requests end when stopping.
    pub grace: Duration,
    /// Effects are told, not sent, and waits are over at once.
    pub dry_run: bool,
    /// Requests that leave this machine are told, not sent: nothing done in a sandbox is known outside.
    pub isolated: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            owner: format!("hob-{}", Uuid::now_v7().simple()),
            concurrency: 32,
            lease: Duration::from_secs(60),
            horizon: Duration::from_secs(60),
            grace: Duration::from_secs(8),
            dry_run: false,
            isolated: false,
        }
    }
}
