//! Alerts as they are stored.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An alert. What it says is up to those who store it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredAlert {
    /// What it is about.
    pub key: String,
    /// Counts its changes, from 1.
    pub version: i64,
    /// Whether it is open or something is to be told.
    pub live: bool,
    /// When it was changed.
    pub changed: DateTime<Utc>,
    /// The alert.
    pub alert: Value,
}
