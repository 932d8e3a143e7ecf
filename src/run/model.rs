//! A run and its identity.

use std::fmt;

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event::EventId;

/// Identity of a run.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub String);

impl RunId {
    /// A new one; later ones sort after earlier ones.
    pub fn new() -> Self {
        Self(format!("run_{}", Uuid::now_v7().simple()))
    }
}

impl Default for RunId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The connection a run uses for each connector: connector → connection.
pub type Accounts = IndexMap<String, String>;

/// One event through one recipe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Identity.
    pub id: RunId,
    /// The event.
    pub event: EventId,
    /// The recipe's name.
    pub recipe: String,
    /// Version of the recipe it began with, once it began.
    pub version: Option<String>,
    /// Connections it uses.
    pub accounts: Accounts,
    /// Runs of one recipe and lane go one at a time, in event order.
    pub lane: String,
    /// When it came to be.
    pub created: DateTime<Utc>,
}
