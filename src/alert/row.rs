//! Alerts with their places in the store.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::model::Alert;
use crate::journal::StoredAlert;

/// An alert and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What it is about.
    pub key: String,
    /// The version that is stored; 0 if none is.
    pub version: i64,
    /// The alert; `None` if what is stored cannot be read.
    pub alert: Option<Alert>,
}

/// Stored alerts by what they are about.
pub fn rows(stored: Vec<StoredAlert>) -> BTreeMap<String, Row> {
    let row = |stored: StoredAlert| {
        let alert = serde_json::from_value(stored.alert)
            .inspect_err(|error| tracing::warn!(key = stored.key, %error, "a stored alert cannot be read"))
            .ok();
        (stored.key.clone(), Row { key: stored.key, version: stored.version, alert })
    };
    stored.into_iter().map(row).collect()
}

impl Row {
    /// As it is stored next.
    pub(super) fn next(&self, now: DateTime<Utc>) -> StoredAlert {
        StoredAlert {
            key: self.key.clone(),
            version: self.version + 1,
            live: self.alert.as_ref().is_some_and(|alert| alert.is_open() || !alert.deliveries.is_empty()),
            changed: now,
            alert: serde_json::to_value(&self.alert).unwrap_or_default(),
        }
    }
}
