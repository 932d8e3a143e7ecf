//! Destinations that alerts do not reach.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::row::{Row, rows};
use crate::journal::StoredAlert;
use crate::overview::Problem;
use crate::workspace::Alerts;

/// A destination that alerts do not reach.
#[derive(Debug)]
pub(super) struct DestinationFailure {
    pub(super) name: String,
    /// Notices that wait for it.
    pub(super) waiting: u64,
    /// Since when attempts fail.
    since: Option<DateTime<Utc>>,
    /// When it is tried again.
    again: DateTime<Utc>,
    /// Why the last attempt failed.
    pub(super) reason: String,
}

/// The destinations of `alerts` that the stored ones do not reach.
pub fn unreached_destinations(stored: Vec<StoredAlert>, alerts: &Alerts) -> Vec<Problem> {
    let failures = destination_failures(&rows(stored));
    let is_there = |failure: &&DestinationFailure| alerts.to.iter().any(|to| to.name == failure.name);
    let problem = |failure: &DestinationFailure| {
        let DestinationFailure { name, waiting, since, again, reason } = failure;
        Problem::unreached(name, *waiting, *since, *again, reason)
    };
    failures.iter().filter(is_there).map(problem).collect()
}

/// By destination.
pub(super) fn destination_failures(rows: &BTreeMap<String, Row>) -> Vec<DestinationFailure> {
    let mut failures: BTreeMap<&str, DestinationFailure> = BTreeMap::new();
    let deliveries = rows.values().filter_map(|row| row.alert.as_ref()).flat_map(|alert| &alert.deliveries);
    for delivery in deliveries {
        let Some(reason) = &delivery.error else { continue };
        let new = || DestinationFailure {
            name: delivery.to.clone(),
            waiting: 0,
            since: delivery.failing_since,
            again: delivery.due,
            reason: reason.clone(),
        };
        let failure = failures.entry(&delivery.to).or_insert_with(new);
        failure.waiting += 1;
        failure.since = failure.since.min(delivery.failing_since);
        failure.again = failure.again.min(delivery.due);
    }
    failures.into_values().collect()
}
