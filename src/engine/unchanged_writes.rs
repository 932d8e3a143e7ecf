//! Updates that would change nothing, as the journal knows their record: by the events about it and by hob's own
//! writes of the last minutes.

use serde_json::Value;

use super::leases::LeaseGuard;
use super::shared::Shared;
use super::store_retry::{LeaseLost, with_store_retry};
use crate::catalog::Catalog;
use crate::check::Resource;
use crate::journal::RunFilter;
use crate::run::echo::{OwnWrite, Pending, Subject};
use crate::run::unchanged::{FRESH, Fresh, Sight};
use crate::run::{Entry, RunId, StepCall, result_of};
use crate::value::id;

/// Maximum number of recent writes and events to examine. With more, nothing is certain.
const MOST: usize = 20;

/// The journal entry for `call` if it is skipped.
pub(super) async fn left_out(
    shared: &Shared,
    catalog: &Catalog,
    run: &RunId,
    call: &StepCall,
    guard: &LeaseGuard,
) -> Result<Option<Entry>, LeaseLost> {
    let operation = &call.operation;
    // Without a trigger that observes outside changes, what hob knows may be outdated.
    if !call.may_be_left_out || shared.options.dry_run || !shared.recipes.feedback().is_read(operation) {
        return Ok(None);
    }
    let record = operation.updates.as_deref().and_then(|name| call.inputs.get(name)).and_then(id);
    let (Some(record), Some(connection)) = (record, call.connection.as_deref()) else { return Ok(None) };
    let resource = Resource::of_operation(operation);
    if is_under_way(shared, catalog, run, (&record, connection), &resource, guard).await? {
        return Ok(None);
    }
    let Some(fresh) = fresh(shared, catalog, run, (&record, connection), &resource, guard).await? else {
        return Ok(None);
    };
    let Some((known, reason)) = fresh.unchanged(operation, &call.inputs, shared.services.clock.now()) else {
        return Ok(None);
    };
    // Only the compared fields are known, and a template may read others.
    if call.result_is_read {
        return Ok(None);
    }
    let result = result_of(operation, known, call.pick.as_deref(), false);
    Ok(result.map(|result| Entry::StepUnchanged {
        step: call.step.clone(),
        operation: operation.id.clone(),
        result: result.into(),
        reason: format!("it would change nothing: {reason}"),
    }))
}

/// Whether another run is writing to the record, or to one that may be the same.
async fn is_under_way(
    shared: &Shared,
    catalog: &Catalog,
    run: &RunId,
    (record, connection): (&str, &str),
    resource: &Resource,
    guard: &LeaseGuard,
) -> Result<bool, LeaseLost> {
    let unsettled = with_store_retry(run, guard, || shared.services.journal.unsettled()).await?;
    Ok(unsettled.iter().filter(|(other, known)| other != run && known.connection == connection).any(
        |(other, known)| {
            let operation = catalog.operation(&known.operation);
            operation.is_none_or(|operation| {
                Resource::of_operation(operation).meets(resource)
                    && Pending::of(known, operation, other, record).is_some()
            })
        },
    ))
}

/// `None` if something known about the record is unusable.
async fn fresh(
    shared: &Shared,
    catalog: &Catalog,
    run: &RunId,
    (record, connection): (&str, &str),
    resource: &Resource,
    guard: &LeaseGuard,
) -> Result<Option<Fresh>, LeaseLost> {
    let journal = &shared.services.journal;
    let since = shared.services.clock.now() - FRESH;
    let record_id = record.to_owned();
    let ask = || journal.written(&record_id, Some(connection), MOST);
    let mut written = with_store_retry(run, guard, ask).await?;
    written.reverse();
    let mut writes = Vec::new();
    for written in &written {
        let Some(operation) = catalog.operation(&written.write.operation) else { return Ok(None) };
        if Resource::of_operation(operation).meets(resource) {
            let Some(write) = OwnWrite::of(&written.write, operation, &written.run, written.at) else {
                return Ok(None);
            };
            writes.push(write);
        }
    }
    let filter = RunFilter {
        record: Some(record.to_owned()),
        since: Some(since),
        limit: Some(MOST + 1),
        ..RunFilter::default()
    };
    let rows = with_store_retry(run, guard, || journal.runs(&filter)).await?;
    if rows.len() > MOST {
        return Ok(None);
    }
    let mut sights: Vec<Sight> = Vec::new();
    for row in rows {
        let Some(detail) = with_store_retry(run, guard, || journal.run(&row.id)).await? else { continue };
        let Some(recipe) = shared.recipes.current(&row.recipe) else { return Ok(None) };
        let Some(subject) = Subject::of(&recipe, &detail.event, &detail.run.accounts) else { continue };
        if subject.connection != connection || !subject.resource.meets(resource) {
            continue;
        }
        let report = subject.earlier(&detail.event, &detail.entries, detail.row.state).report;
        let at = report.lag.map_or(report.received, |lag| report.received - lag);
        let (received, event) = (report.received, detail.event.id.to_string());
        let record = if report.removed { Value::Null } else { report.record };
        let is_read = report.lag.is_some() && !report.hydrated;
        sights.push(Sight { at, received, is_read, record, event });
    }
    sights.sort_by_key(|sight| sight.received);
    Ok(Some(Fresh { sights, writes }))
}
