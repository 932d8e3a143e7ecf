//! Performs a step: a request, or a built-in operation.

use std::sync::Arc;
use std::time::Duration;

use super::options::{Options, World};
use super::translate::{Told, refuse, report, unusable};
use super::{builtin, dry_run, first_time, pages};
use crate::catalog::{Catalog, Effect, Operation};
use crate::connection::{Connection, Priority};
use crate::request::{Admitted, CallOptions, FileChoice, Gate, Outcome, dropped};
use crate::run::{Perform, Report};

/// Longest wait for a budget with the run in hand; beyond it the run goes back to the queue.
const PATIENCE: Duration = Duration::from_secs(15);

/// What all steps of a run share.
pub(super) struct Surroundings<'a> {
    pub(super) world: &'a World,
    pub(super) options: &'a Options,
    pub(super) catalog: &'a Catalog,
    pub(super) priority: Priority,
    /// Open while the run is ours.
    pub(super) gate: Gate,
    /// Shortest wait for a connection that is held.
    pub(super) least_hold: Duration,
}

impl Surroundings<'_> {
    /// How long to wait for a connection that is held for `wait` yet.
    pub(super) fn hold(&self, wait: Duration) -> Duration {
        wait.max(self.least_hold)
    }
}

/// Whether `perform` may go.
pub(super) enum Leave {
    /// It may; a request brings its share of the budget.
    Granted(Option<Admitted>),
    /// It may not, for now or for good.
    Refused(Told),
}

/// Leave to perform `perform` if it can be had at once: `None` when it takes waiting.
pub(super) async fn leave_at_once(around: &Surroundings<'_>, perform: &Perform) -> Option<Leave> {
    match sends_effect(around, perform) {
        None => Some(Leave::Granted(None)),
        Some(Err(message)) => Some(Leave::Refused(refuse(message))),
        Some(Ok(connection)) => {
            let admitted = around.world.client.try_admit(&connection).await?;
            Some(Leave::Granted(Some(admitted)))
        }
    }
}

/// Leave to perform `perform`, waited for.
pub(super) async fn leave(around: &Surroundings<'_>, perform: &Perform) -> Leave {
    match sends_effect(around, perform) {
        None => Leave::Granted(None),
        Some(Err(message)) => Leave::Refused(refuse(message)),
        Some(Ok(connection)) => match around.world.client.admit(&connection, &call_options(around)).await {
            Ok(admitted) => Leave::Granted(Some(admitted)),
            Err(outcome) => Leave::Refused(report(outcome, &perform.operation, None)),
        },
    }
}

/// The connection of a request that has an effect. Reads and built-in operations need no leave
/// beforehand: there is no intent that would stand in the history while they wait.
fn sends_effect(around: &Surroundings<'_>, perform: &Perform) -> Option<Result<Arc<Connection>, String>> {
    let told =
        perform.operation.builtin.is_some() || around.options.dry_run || perform.effect == Effect::Read;
    (!told).then(|| connection(around.world, &perform.operation, perform.connection.as_deref()))
}

/// Performs `perform` once.
pub(super) async fn perform(
    around: &Surroundings<'_>,
    perform: &Perform,
    admitted: Option<Admitted>,
) -> Told {
    if let Some(which) = perform.operation.builtin {
        let mut told = builtin::perform(around, which, perform).await;
        let unknown = match &mut told.report {
            Report::Done(result) => first_time::tell_own(around, perform, result),
            _ => None,
        };
        return told.unknown_for(unknown);
    }
    let connection = match connection(around.world, &perform.operation, perform.connection.as_deref()) {
        Ok(connection) => connection,
        Err(message) => return refuse(message),
    };
    if around.options.dry_run && perform.effect != Effect::Read {
        return dry_run::request(perform, &connection);
    }
    let options = CallOptions {
        timeout: perform.timeout,
        files: FileChoice::Run(perform.downloaded.clone()),
        ..call_options(around)
    };
    let operation = &perform.operation;
    if perform.all_pages {
        return pages::read(around, perform, &connection, options).await;
    }
    let client = &around.world.client;
    let called = client
        .call_admitted(around.catalog, operation, &perform.inputs, &connection, &options, admitted)
        .await;
    match called {
        // What an earlier step would have made is not there to be read.
        Ok(Outcome::Refused(refusal)) if around.options.dry_run => {
            let line = format!(
                "{} on {} was refused ({}): continuing with sample data",
                operation.id, connection.name, refusal.message
            );
            dry_run::told(perform, line)
        }
        Ok(mut outcome) => {
            let unknown = first_time::tell(around, perform, &mut outcome).await;
            let more = match &outcome {
                Outcome::Ok(answer) => pages::more(operation, &perform.inputs, answer),
                _ => None,
            };
            let dropped = match &outcome {
                Outcome::Ok(answer) => dropped(operation, &perform.inputs, &answer.body),
                _ => None,
            };
            let told = report(outcome, operation, perform.pick.as_deref()).unknown_for(unknown);
            Told { more, dropped, ..told }
        }
        Err(problems) => unusable(&operation.id, &problems).into(),
    }
}

pub(super) fn call_options(around: &Surroundings<'_>) -> CallOptions {
    CallOptions {
        priority: around.priority,
        patience: PATIENCE,
        gate: Some(around.gate.clone()),
        ..CallOptions::default()
    }
}

/// The connection called `name`, if it is one for `operation`.
pub(super) fn connection(
    world: &World,
    operation: &Operation,
    name: Option<&str>,
) -> Result<Arc<Connection>, String> {
    let connector = &operation.connector;
    let Some(name) = name else {
        return Err(format!(
            "no connection is chosen for `{connector}`; name one in the recipe, `connections: {{ {connector}: NAME }}`"
        ));
    };
    match world.connections.get(name) {
        Some(connection) if connection.connector.connector == *connector => Ok(Arc::clone(connection)),
        Some(other) => {
            let theirs = &other.connector.connector;
            Err(format!(
                "the connection `{name}` is on `{theirs}`, and `{}` needs one on `{connector}`",
                operation.id
            ))
        }
        None => Err(format!("hob.yaml has no connection `{name}`")),
    }
}
