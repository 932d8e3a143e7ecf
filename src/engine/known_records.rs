//! What the journal knows of records that a step in doubt may have created: which steps they belong to, and which
//! other steps may have created them.

use chrono::TimeDelta;

use super::step_context::StepContext;
use crate::catalog::{Effect, Place};
use crate::connection::Connection;
use crate::journal::{Error, Written};
use crate::request::complete;
use crate::run::probe::Rival;
use crate::run::{Probe, RunId};

/// Most writes to one record that are examined. The one that created it is the oldest.
const MAX_WRITES: usize = 1000;

/// The longest that a request can be in flight.
const MAX_LENGTH: TimeDelta = TimeDelta::minutes(10);

/// What the journal knows, for a step in doubt.
pub(super) struct KnownRecords<'a> {
    pub(super) context: &'a StepContext<'a>,
    pub(super) connection: &'a Connection,
    pub(super) run: &'a RunId,
    pub(super) doubt: &'a Probe,
}

/// Records that steps are known to have created.
#[derive(Default)]
pub(super) struct KnownResults {
    /// Ids of records created by other steps.
    pub(super) theirs: Vec<String>,
    /// Why it is unclear whether another step created one of them.
    pub(super) unclear: Option<String>,
}

impl KnownRecords<'_> {
    /// Which of the records `ids` are results of steps of any run.
    pub(super) async fn known_results(&self, ids: &[String]) -> Result<KnownResults, Error> {
        let mut results = KnownResults::default();
        for id in ids {
            let written = self.context.services.journal.written(id, None, MAX_WRITES).await?;
            let written = || written.iter().filter(|written| self.is_same_account(&written.write.connection));
            if written().any(|written| written.write.operation == self.doubt.operation.id) {
                results.theirs.push(id.clone());
            } else if let Some(other) = written().find(|written| self.may_make(written)) {
                results.unclear = Some(format!(
                    "one like it is there ({id}), which `{}` of run {} wrote and may have created",
                    other.write.operation, other.run
                ));
            }
        }
        Ok(results)
    }

    /// Whether a write may have created its record, as an upsert may.
    fn may_make(&self, written: &Written) -> bool {
        let operation = self.context.catalog.operation(&written.write.operation);
        operation.is_some_and(|operation| {
            operation.effect == Effect::Idempotent
                && !operation.removes()
                && !operation.parameters.values().any(|parameter| parameter.place == Place::Path)
        })
    }

    /// The unconfirmed creates of other steps.
    pub(super) async fn rivals(&self) -> Result<Vec<Rival>, Error> {
        let unsettled = self.context.services.journal.unsettled().await?;
        let operation = &self.doubt.operation;
        let theirs = unsettled.into_iter().filter(|(run, known)| {
            let own = run == self.run && known.step == self.doubt.step;
            !own && !known.not_probed
                && known.operation == operation.id
                && self.is_same_account(&known.connection)
        });
        let rival = theirs.map(|(run, mut known)| {
            let connection = self.context.services.connections.get(&known.connection);
            if let Ok(inputs) = complete(operation, &known.inputs, connection.map(AsRef::as_ref)) {
                known.inputs = inputs;
            }
            // A request that is older cannot be in flight any more.
            if self.context.services.clock.now() - known.sent > MAX_LENGTH {
                known.missed = known.missed.or(Some(known.sent));
            }
            Rival { name: format!("step `{}` of run {run}", known.step), known }
        });
        Ok(rival.collect())
    }

    /// Whether the connection `name` leads to the same account.
    fn is_same_account(&self, name: &str) -> bool {
        let other = self.context.services.connections.get(name);
        name == self.connection.name || other.is_some_and(|other| other.is_same_account(self.connection))
    }
}
