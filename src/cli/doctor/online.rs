//! Whether credentials work and this machine's clock is right, by reads that the recipes make anyway.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use serde_json::Map;

use super::finding::Finding;
use crate::catalog::{Effect, Operation};
use crate::check::CheckedRecipe;
use crate::cli::connected_accounts::ConnectedAccounts;
use crate::connection::Connection;
use crate::request::{Answer, CallOptions, Outcome, Refusal};
use crate::workspace::Workspace;

/// Reads tried on a connection.
const MAX_READS: usize = 5;
/// A difference of clocks that matters.
const MAX_CLOCK_DIFFERENCE: TimeDelta = TimeDelta::seconds(10);

/// Sends a few reads on each connection with a credential.
pub(super) async fn findings(
    workspace: &Workspace,
    connected: &ConnectedAccounts,
    recipes: &[CheckedRecipe],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut clock = None;
    for connection in connected.connections.values() {
        if workspace.accounts.get(&connection.name).is_some_and(|account| !account.unset.is_empty()) {
            continue;
        }
        let (found, difference) = of_connection(workspace, connected, recipes, connection).await;
        findings.extend(found.into_iter().map(|finding| finding.about(&connection.name)));
        clock = clock.or(difference.map(|difference| (difference, connection.name.clone())));
    }
    findings.extend(clock.map(|(difference, name)| of_clock(difference, &name)));
    findings
}

/// What the reads of a connection come to, and how far the API's clock is ahead of ours.
async fn of_connection(
    workspace: &Workspace,
    connected: &ConnectedAccounts,
    recipes: &[CheckedRecipe],
    connection: &Connection,
) -> (Vec<Finding>, Option<TimeDelta>) {
    let (mut worked, mut difference, mut broken) = (Vec::new(), None, Vec::new());
    let (inputs, options) = (Map::new(), CallOptions::default());
    for operation in reads(workspace, recipes, connection).into_iter().take(MAX_READS) {
        let called = connected.client.call(&workspace.catalog, &operation, &inputs, connection, &options);
        match called.await {
            // It needs inputs that only a recipe knows.
            Err(_) => {}
            Ok(Outcome::Ok(answer)) => {
                difference = difference.or(clock_difference(&answer));
                worked.push(operation.id.clone());
            }
            Ok(Outcome::Unauthorized { refusal, .. }) => {
                broken.push(refused(&operation, &refusal, "the credential is refused"));
                break;
            }
            Ok(Outcome::Refused(refusal)) if refusal.status == Some(403) => {
                let scopes = operation.scopes.join(", ");
                let what = if scopes.is_empty() {
                    "may not".to_owned()
                } else {
                    format!("may not (scopes: {scopes})")
                };
                broken.push(refused(&operation, &refusal, &what));
            }
            // The credential was accepted.
            Ok(Outcome::Refused(_)) => worked.push(operation.id.clone()),
            Ok(other) => {
                let message = format!("`{}`: {}", operation.id, other.describe());
                broken.push(Finding::broken(
                    "connection",
                    message,
                    "check the address and the network, and try again",
                ));
                break;
            }
        }
    }
    if broken.is_empty() {
        broken.push(match worked.is_empty() {
            true => Finding::note("connection", "not tried: no read is known that needs no inputs"),
            false => Finding::ok("connection", format!("its credential works ({})", worked.join(", "))),
        });
    }
    (broken, difference)
}

/// Reads to try: those of recipes on the connection first, then the lists of the connector's records.
fn reads(workspace: &Workspace, recipes: &[CheckedRecipe], connection: &Connection) -> Vec<Arc<Operation>> {
    let catalog = &workspace.catalog;
    let uses = recipes.iter().flat_map(CheckedRecipe::operation_uses);
    let of_recipes =
        uses.filter(|used| used.connections.contains(&connection.name)).map(|used| used.operation);
    let of_records = connection.connector.records.values().map(|kind| kind.list.clone());
    let mut found: Vec<Arc<Operation>> = Vec::new();
    for id in of_recipes.chain(of_records) {
        let Some(operation) = catalog.operation(&id) else { continue };
        let fits = operation.connector == connection.connector.connector
            && operation.effect == Effect::Read
            && operation.composite.is_empty()
            && operation.download.is_none()
            && operation.builtin.is_none();
        if fits && !found.iter().any(|known| known.id == operation.id) {
            found.push(Arc::clone(operation));
        }
    }
    found
}

fn refused(operation: &Operation, refusal: &Refusal, what: &str) -> Finding {
    let message = format!("`{}`: {what}: {}", operation.id, refusal.message);
    let remedy = refusal.help.clone().unwrap_or_else(|| "see `hob connections --scopes`".to_owned());
    Finding::broken("connection", message, remedy)
}

/// How far the API's clock is ahead of ours, by the date of its answer.
fn clock_difference(answer: &Answer) -> Option<TimeDelta> {
    let there = DateTime::parse_from_rfc2822(answer.headers.get("date")?).ok()?;
    Some(there.to_utc() - answer.received)
}

fn of_clock(difference: TimeDelta, connection: &str) -> Finding {
    let seconds = difference.num_seconds();
    if difference.abs() <= MAX_CLOCK_DIFFERENCE {
        return Finding::ok("clock", format!("within {} s of that of {connection}", seconds.abs() + 1));
    }
    let (behind, seconds) = (if seconds > 0 { "behind" } else { "ahead of" }, seconds.abs());
    let message = format!("this machine's clock is {seconds} s {behind} that of {connection}");
    Finding::broken(
        "clock",
        message,
        "let the system set its clock by NTP: schedules and signatures depend on it",
    )
}

#[cfg(test)]
mod tests {
    use super::super::finding::Health;
    use super::*;

    #[test]
    fn a_wrong_clock_is_told_by_the_date_of_an_answer() {
        let answer = |date: &str| Answer {
            status: 200,
            headers: [("date".to_owned(), date.to_owned())].into_iter().collect(),
            body: serde_json::Value::Null,
            received: "2026-11-29T12:00:00Z".parse().unwrap(),
        };
        let told = |date: &str| of_clock(clock_difference(&answer(date)).unwrap(), "studio");
        assert_eq!(told("Sun, 29 Nov 2026 12:00:03 GMT").health, Health::Ok);
        let slow = told("Sun, 29 Nov 2026 12:01:00 GMT");
        assert_eq!(slow.health, Health::Broken);
        assert!(slow.message.contains("60 s behind that of studio"), "{slow:?}");
        assert!(told("Sun, 29 Nov 2026 11:00:00 GMT").message.contains("3600 s ahead of"));
        assert_eq!(clock_difference(&answer("soon")), None);
    }
}
