//! Which polls send the same requests, and how often. Pure.

use std::time::Duration;

use serde_json::{Value, json};

use super::detect;
use super::reconcile::Reconcile;
use crate::catalog::{Catalog, Listing, Operation};
use crate::recipe::{Emit, Every};

/// A poller may join a poll of others when at most this fraction (1/2) of its interval is left. With a half, any two
/// pollers with the same interval come to poll together, whenever each of them started.
const JOIN_FRACTION: u32 = 2;
/// How early a poll at set times may join others; these should not be early.
const EARLY_AT_SET_TIMES: Duration = Duration::from_secs(1);

/// What a poll reads: the operation and its inputs as written.
pub(super) fn subject(operation: &Operation, with: &Value) -> String {
    format!("{} {with}", operation.id)
}

/// Identifies the requests of a poll on `connection`: polls with equal keys can share answers. `with` are its inputs as
/// written.
pub fn request_key(connection: &str, operation: &Operation, emit: &[Emit], with: &Value) -> String {
    static NOTHING: std::sync::LazyLock<Listing> = std::sync::LazyLock::new(Listing::default);
    let listing = operation.list.as_ref().unwrap_or(&NOTHING);
    let order = detect::can_stop_early(listing, emit, with).map(|order| order.inputs);
    format!("{connection} {} {}", subject(operation, with), json!(order))
}

/// How long before its due time a poller may join a poll of others.
pub fn joins_early(every: &Every) -> Duration {
    match every {
        Every::Interval(interval) | Every::Adaptive { shortest: interval, .. } => *interval / JOIN_FRACTION,
        Every::Cron(_) => EARLY_AT_SET_TIMES,
    }
}

/// The lists that find lost events of these types, with the changes that are looked for in each.
pub fn reconciled_lists(catalog: &Catalog, connector: &str, types: &[&str]) -> Vec<(String, Vec<Emit>)> {
    let lists = Reconcile::all(catalog, connector, types);
    lists.into_iter().map(|list| (list.operation.clone(), list.emit())).collect()
}
