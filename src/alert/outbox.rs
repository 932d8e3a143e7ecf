//! What is to be sent now, and what becomes of it. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::model::{Delivery, Told};
use super::notice::Notice;
use super::row::Row;
use crate::value::{Backoff, after};
use crate::workspace::{AlertKind, Alerts, Destination};

/// Notices that are sent together.
const MAX_TOGETHER: usize = 50;
/// Pauses between attempts.
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(5), Duration::from_secs(600));
/// Bytes of the id of a message.
const ID_BYTES: usize = 12;

/// Notices that go to a destination together.
#[derive(Debug)]
pub(super) struct Batch<'a> {
    pub(super) destination: &'a Destination,
    /// The keys of the alerts with the ids of the deliveries, the oldest first.
    pub(super) parts: Vec<(String, String)>,
    pub(super) notices: Vec<Notice>,
}

impl Batch<'_> {
    /// The id of the message: that of its notice, if it is one.
    pub(super) fn id(&self) -> String {
        match self.parts.as_slice() {
            [(_, id)] => id.clone(),
            parts => {
                let all = parts.iter().fold(Sha256::new(), |hash, (_, id)| hash.chain_update(id));
                hex::encode(&all.finalize()[..ID_BYTES])
            }
        }
    }
}

/// What is to be sent at `now`. As soon as one notice is due, all that waits for its destination goes with it.
pub(super) fn batches<'a>(
    rows: &BTreeMap<String, Row>,
    settings: &'a Alerts,
    url: Option<&str>,
    now: DateTime<Utc>,
) -> Vec<Batch<'a>> {
    let of = |destination: &'a Destination| {
        let is_quiet = destination.quiet.as_ref().is_some_and(|quiet| quiet.end(now).is_some());
        let is_sent = |kind: AlertKind| {
            !is_quiet || destination.quiet.as_ref().is_some_and(|quiet| quiet.except.contains(&kind))
        };
        let mut waiting: Vec<(&Row, &Delivery)> = Vec::new();
        for row in rows.values() {
            let alert = row.alert.iter().filter(|alert| is_sent(alert.kind));
            let deliveries = alert.flat_map(|alert| &alert.deliveries);
            waiting.extend(deliveries.filter(|it| it.to == destination.name).map(|delivery| (row, delivery)));
        }
        if !waiting.iter().any(|(_, delivery)| delivery.due <= now) {
            return None;
        }
        waiting.sort_by_key(|(_, delivery)| delivery.decided);
        waiting.truncate(MAX_TOGETHER);
        let parts = waiting.iter().map(|(row, delivery)| (row.key.clone(), delivery.id.clone())).collect();
        let notices = waiting
            .iter()
            .filter_map(|(row, delivery)| Some(Notice::new(row.alert.as_ref()?, delivery, url)));
        Some(Batch { destination, parts, notices: notices.collect() })
    };
    settings.to.iter().filter_map(of).collect()
}

/// The rows after `parts` were sent to `destination`, or were not for a reason.
pub(super) fn settle(
    rows: &BTreeMap<String, Row>,
    destination: &str,
    parts: &[(String, String)],
    outcome: &Result<(), String>,
    now: DateTime<Utc>,
) -> Vec<Row> {
    let all = || parts.iter().filter_map(|(key, id)| delivery(rows, key, id));
    let attempts = all().map(|delivery| delivery.attempts).max().unwrap_or(0).saturating_add(1);
    let since = all().filter_map(|delivery| delivery.failing_since).min().unwrap_or(now);
    let mut changed: BTreeMap<&str, Row> = BTreeMap::new();
    for (key, id) in parts {
        let Some(row) = rows.get(key) else { continue };
        let row = changed.entry(key).or_insert_with(|| row.clone());
        let Some(alert) = &mut row.alert else { continue };
        let Some(place) = alert.deliveries.iter().position(|delivery| delivery.id == *id) else { continue };
        match outcome {
            Ok(()) => {
                let delivered = alert.deliveries.remove(place);
                match delivered.what {
                    Told::Recovered => drop(alert.told.remove(destination)),
                    _ => drop(alert.told.insert(destination.to_owned(), now)),
                }
            }
            Err(reason) => {
                let delivery = &mut alert.deliveries[place];
                delivery.attempts = attempts;
                delivery.due = after(now, BACKOFF.pause(attempts));
                delivery.error = Some(reason.clone());
                delivery.failing_since = Some(since);
            }
        }
    }
    changed.into_values().collect()
}

fn delivery<'a>(rows: &'a BTreeMap<String, Row>, key: &str, id: &str) -> Option<&'a Delivery> {
    rows.get(key)?.alert.as_ref()?.deliveries.iter().find(|delivery| delivery.id == id)
}
