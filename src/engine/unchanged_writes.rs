//! Updates that would change nothing, as the journal knows their record: by the events about it and by hob's own
//! writes of the last minutes.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::record_history::{JournalHistory, RecordHistory};
use super::shared::Shared;
use super::store_retry::LeaseLost;
use crate::catalog::Catalog;
use crate::check::Resource;
use crate::journal::{RunDetail, RunFilter};
use crate::run::echo::{OwnWrite, Pending, Subject};
use crate::run::unchanged::{FRESH, Fresh, Sight};
use crate::run::{Entry, StepCall, result_of};
use crate::value::id;

/// Maximum number of recent writes and events to examine. With more, nothing is certain.
const MOST: usize = 20;

/// What tells whether an update of a run would change nothing.
pub(super) struct UnchangedSearch<'a> {
    pub(super) shared: &'a Shared,
    pub(super) history: JournalHistory<'a>,
    pub(super) catalog: &'a Catalog,
}

/// The record that an update writes to.
struct Target<'a> {
    connection: &'a str,
    record: String,
    resource: Resource,
}

impl UnchangedSearch<'_> {
    /// The journal entry for `call` if it is skipped.
    pub(super) async fn entry(&self, call: &StepCall) -> Result<Option<Entry>, LeaseLost> {
        // Without a trigger that observes outside changes, what hob knows may be outdated.
        let is_observed = self.shared.recipes.feedback().is_read(&call.operation);
        if !call.may_be_left_out || self.shared.options.dry_run || !is_observed {
            return Ok(None);
        }
        let Some(target) = Target::of_call(call) else { return Ok(None) };
        if self.is_being_written(&target).await? {
            return Ok(None);
        }
        let Some(fresh) = self.fresh(&target).await? else { return Ok(None) };
        let Some((known, reason)) = fresh.unchanged(&call.operation, &call.inputs, self.now()) else {
            return Ok(None);
        };
        // Only the compared fields are known, and a template may read others.
        if call.result_is_read {
            return Ok(None);
        }
        let result = result_of(&call.operation, known, call.pick.as_deref(), false);
        Ok(result.map(|result| Entry::StepUnchanged {
            step: call.step.clone(),
            operation: call.operation.id.clone(),
            result: result.into(),
            reason: format!("it would change nothing: {reason}"),
        }))
    }

    fn now(&self) -> DateTime<Utc> {
        self.shared.services.clock.now()
    }

    /// Whether another run is writing to the record, or to one that may be the same.
    async fn is_being_written(&self, target: &Target<'_>) -> Result<bool, LeaseLost> {
        let unsettled = self.history.unsettled().await?;
        let of_others = unsettled
            .iter()
            .filter(|(run, known)| run != self.history.run && known.connection == target.connection);
        Ok(of_others.into_iter().any(|(run, known)| {
            self.catalog.operation(&known.operation).is_none_or(|operation| {
                Resource::of_operation(operation).meets(&target.resource)
                    && Pending::of(known, operation, run, (None, &target.record)).is_some()
            })
        }))
    }

    /// `None` if something known about the record is unusable.
    async fn fresh(&self, target: &Target<'_>) -> Result<Option<Fresh>, LeaseLost> {
        let Some(writes) = self.writes(target).await? else { return Ok(None) };
        let filter = RunFilter {
            record: Some(target.record.clone()),
            since: Some(self.now() - FRESH),
            limit: Some(MOST + 1),
            ..RunFilter::default()
        };
        let rows = self.history.rows(&filter).await?;
        if rows.len() > MOST {
            return Ok(None);
        }
        let details = self.history.details(&rows).await?;
        let mut sights: Vec<Sight> = Vec::new();
        for detail in &details {
            match self.sight(detail, target) {
                None => return Ok(None),
                Some(sight) => sights.extend(sight),
            }
        }
        sights.sort_by_key(|sight| sight.received);
        Ok(Some(Fresh { sights, writes }))
    }

    async fn writes(&self, target: &Target<'_>) -> Result<Option<Vec<OwnWrite>>, LeaseLost> {
        let written = self.history.written(target.connection, &target.record, MOST).await?;
        let of_resource = written.iter().rev().filter_map(|written| {
            let Some(operation) = self.catalog.operation(&written.write.operation) else { return Some(None) };
            let is_of_resource = Resource::of_operation(operation).meets(&target.resource);
            is_of_resource.then(|| OwnWrite::of(&written.write, operation, &written.run, written.at))
        });
        Ok(of_resource.collect())
    }

    /// What the event of a run shows of the record: `Some(None)` if it is about another one, `None` if that is
    /// unknown.
    fn sight(&self, detail: &RunDetail, target: &Target<'_>) -> Option<Option<Sight>> {
        let recipe = self.shared.recipes.current(&detail.row.recipe)?;
        let about = Subject::of(&recipe, &detail.event, &detail.run.accounts).filter(|subject| {
            subject.connection == target.connection && subject.resource.meets(&target.resource)
        });
        let Some(subject) = about else { return Some(None) };
        let report = subject.earlier(&detail.event, &detail.entries, detail.row.state).report;
        Some(Some(Sight {
            at: report.lag.map_or(report.received, |lag| report.received - lag),
            received: report.received,
            is_read: report.lag.is_some() && !report.hydrated,
            record: if report.removed { Value::Null } else { report.record },
            event: detail.event.id.to_string(),
        }))
    }
}

impl<'a> Target<'a> {
    fn of_call(call: &'a StepCall) -> Option<Self> {
        let operation = &call.operation;
        let record = operation.updates.as_deref().and_then(|name| call.inputs.get(name)).and_then(id)?;
        let connection = call.connection.as_deref()?;
        Some(Self { connection, record, resource: Resource::of_operation(operation) })
    }
}
