//! What is watched.

use chrono::{DateTime, Utc};
use indexmap::IndexMap;

use crate::engine::RecipeVersions;
use crate::services::Services;
use crate::workspace::{Alerts, ConnectionConfig};

/// What is watched, and how.
#[derive(Debug, Clone)]
pub struct WatchSettings {
    /// Whom alerts go to.
    pub alerts: Alerts,
    /// The workspace's connections.
    pub accounts: IndexMap<String, ConnectionConfig>,
    /// The address of the dashboard.
    pub url: Option<String>,
    /// Look once and end.
    pub once: bool,
}

/// What is watched.
pub(super) struct Watched {
    pub(super) settings: WatchSettings,
    pub(super) services: Services,
    pub(super) recipes: RecipeVersions,
    /// When this process began.
    pub(super) began: DateTime<Utc>,
}
