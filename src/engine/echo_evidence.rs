//! Gathers what the journal knows about a record whose event may be an echo.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::leases::LeaseGuard;
use super::shared::Shared;
use super::store_retry::{LeaseLost, with_store_retry};
use crate::check::{CheckedRecipe, Feedback, Resource};
use crate::journal::{LeasedRun, RunDetail, RunFilter};
use crate::recipe::EchoPolicy;
use crate::run::echo::{Earlier, Evidence, OwnWrite, Pending, Report, Subject};
use crate::run::{Entry, RunState, StampedEntry};

/// Maximum number of writes to a record, the newest.
const MOST_WRITES: usize = 50;
/// Maximum number of earlier events about it, the newest.
const MOST_EARLIER: usize = 12;

/// What is known about the record of the run's event; `None` if it cannot be an echo, or a person requested the run.
pub(super) async fn evidence(
    shared: &Shared,
    leased: &LeasedRun,
    recipe: &CheckedRecipe,
    feedback: &Feedback,
    guard: &LeaseGuard,
) -> Result<Option<Evidence>, LeaseLost> {
    let decided = |stamped: &StampedEntry| {
        matches!(
            stamped.entry,
            Entry::Started { .. } | Entry::Caused { .. } | Entry::Resumed { .. } | Entry::Restarted {}
        )
    };
    if shared.options.dry_run || leased.entries.iter().any(decided) {
        return Ok(None);
    }
    let read = Resource::of_trigger(recipe).filter(|read| feedback.is_written(read));
    let Some(subject) = read.and_then(|_| Subject::of(recipe, &leased.event, &leased.run.accounts)) else {
        return Ok(None);
    };
    let writes = own_writes(shared, leased, recipe, &subject, guard).await?;
    let pending = pending(shared, leased, recipe, &subject, guard).await?;
    if writes.is_empty() && pending.is_empty() {
        return Ok(None);
    }
    let decided = |state: RunState| state != RunState::Waiting;
    let earlier = earlier(shared, leased, &subject, guard, decided).await?;
    let allow = recipe.recipe().echo == EchoPolicy::Allow;
    Ok(Some(Evidence { subject, writes, pending, earlier, allow }))
}

async fn own_writes(
    shared: &Shared,
    leased: &LeasedRun,
    recipe: &CheckedRecipe,
    subject: &Subject,
    guard: &LeaseGuard,
) -> Result<Vec<OwnWrite>, LeaseLost> {
    let journal = &shared.services.journal;
    let (record, connection) = (&subject.record, Some(subject.connection.as_str()));
    let ask = || journal.written(record, connection, MOST_WRITES);
    let mut written = with_store_retry(&leased.run.id, guard, ask).await?;
    written.reverse();
    let own = written.iter().filter(|written| written.run != leased.run.id).filter_map(|written| {
        let operation = recipe.catalog().operation(&written.write.operation)?;
        Resource::of_operation(operation).meets(&subject.resource).then_some(())?;
        OwnWrite::of(&written.write, operation, &written.run, written.at)
    });
    Ok(own.collect())
}

async fn pending(
    shared: &Shared,
    leased: &LeasedRun,
    recipe: &CheckedRecipe,
    subject: &Subject,
    guard: &LeaseGuard,
) -> Result<Vec<Pending>, LeaseLost> {
    let unsettled = with_store_retry(&leased.run.id, guard, || shared.services.journal.unsettled()).await?;
    let pending = unsettled.iter().filter_map(|(run, known)| {
        let other = *run != leased.run.id && known.connection == subject.connection;
        let operation = recipe.catalog().operation(&known.operation).filter(|_| other)?;
        Resource::of_operation(operation).meets(&subject.resource).then_some(())?;
        Pending::of(known, operation, run, &subject.record)
    });
    Ok(pending.collect())
}

/// Earlier events about the record for the same recipe and accounts, oldest first, if `counts` accepts the states of
/// their runs.
pub(super) async fn earlier(
    shared: &Shared,
    leased: &LeasedRun,
    subject: &Subject,
    guard: &LeaseGuard,
    counts: impl Fn(RunState) -> bool,
) -> Result<Vec<Earlier>, LeaseLost> {
    let (journal, run) = (&shared.services.journal, &leased.run);
    let filter = RunFilter {
        recipe: Some(run.recipe.clone()),
        record: Some(subject.record.clone()),
        limit: Some(MOST_EARLIER),
        ..RunFilter::default()
    };
    let rows = with_store_retry(&run.id, guard, || journal.runs(&filter)).await?;
    let mut earlier: Vec<(DateTime<Utc>, Earlier)> = Vec::new();
    for row in rows.iter().filter(|row| row.id != run.id && counts(row.state)) {
        let Some(detail) = with_store_retry(&run.id, guard, || journal.run(&row.id)).await? else { continue };
        let same = detail.run.accounts == run.accounts && detail.event.received <= leased.event.received;
        if same && detail.event.unreadable().is_none() {
            earlier.push((detail.event.received, earlier_event(subject, &detail)));
        }
    }
    earlier.sort_by_key(|(received, _)| *received);
    Ok(earlier.into_iter().map(|(_, earlier)| earlier).collect())
}

fn earlier_event(subject: &Subject, detail: &RunDetail) -> Earlier {
    let report = whole_report(subject, detail);
    Earlier { report, suppressed: detail.row.state == RunState::Suppressed }
}

/// What the event of a run told of its record, with what was fetched to complete it.
pub(super) fn whole_report(subject: &Subject, detail: &RunDetail) -> Report {
    let mut report = subject.report(&detail.event, &detail.event.payload);
    let fetched = detail.entries.iter().rev().find_map(|stamped| match &stamped.entry {
        Entry::StepSucceeded { step, result, .. } if step.is_hydrate() => Some(result),
        _ => None,
    });
    if let (Value::Object(thin), Some(Value::Object(whole))) =
        (&mut report.record, fetched.map(AsRef::as_ref))
    {
        thin.extend(whole.clone());
    }
    report
}
