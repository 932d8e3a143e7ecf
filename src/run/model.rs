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
    /// A new id; ids sort by creation.
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

/// The connection of each connector that a run uses.
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
    /// Version of the recipe, once the run has started.
    pub version: Option<String>,
    /// The connections it uses.
    pub accounts: Accounts,
    /// Runs of the same recipe and lane run one at a time, in order of their events.
    pub lane: String,
    /// When it was created.
    pub created: DateTime<Utc>,
}
