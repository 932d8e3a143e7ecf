//! What the sync that a recipe was generated from knows of the record of an event.

use std::cmp::Reverse;

use super::link_end::LinkEnd;
use super::record_history::RecordHistory;
use crate::check::CheckedRecipe;
use crate::journal::{BaseValues, RunDetail, RunFilter};
use crate::run::echo::{PairBase, Reading, Subject};
use crate::run::{Entry, Run, RunId, RunState};
use crate::sync::{OTHER, OWN, stands_for};
use crate::value::{Map, Value, id};

/// Maximum number of runs about a record whose reads are examined: those that have ended last.
const MOST_READINGS: usize = 4;
/// Maximum number of runs about a record among which those are: those that were created last. One that was retried may
/// be much older than what it has read.
const MOST_RUNS: usize = 200;

/// Reads what is known of the record of an event.
pub(super) struct PairSearch<'a, H> {
    pub(super) history: &'a H,
    pub(super) recipe: &'a CheckedRecipe,
    pub(super) run: &'a Run,
    pub(super) subject: &'a Subject,
    /// Nothing but a run about the other record matters while there is one.
    pub(super) may_wait: bool,
}

impl<H: RecordHistory> PairSearch<'_, H> {
    /// What is known; `None` if the record belongs to no pair that was ever made equal.
    pub(super) async fn base(&self) -> Result<Option<PairBase>, H::Error> {
        let Some(end) = LinkEnd::of(self.recipe, &self.subject.record) else { return Ok(None) };
        let Some(other) = self.history.linked(&end).await? else { return Ok(None) };
        // A run that ends meanwhile has noted by then what both have.
        let under_way = self.under_way(&end.name, &other).await?;
        let base = self.history.link_base(&end).await?.filter(|base| !base.is_empty());
        let Some(base) = base else { return Ok(None) };
        if self.may_wait && under_way.is_some() {
            return Ok(Some(PairBase { under_way, ..PairBase::default() }));
        }
        let of_end = |values: BaseValues| if end.is_from { values.from } else { values.to };
        let sent = of_end(base.sent());
        // By field of the sync: the fields of the record that matter for it.
        let mut had = Map::new();
        for fields in of_end(base.values).into_values() {
            had.extend(fields.as_object().cloned().unwrap_or_default());
        }
        let mut read = self.readings(&end.name, &self.subject.record, OWN).await?;
        read.extend(self.readings(&end.name, &other, OTHER).await?);
        Ok(Some(PairBase { had, sent, read, under_way }))
    }

    /// A run about the other record that has begun.
    async fn under_way(&self, sync: &str, other: &str) -> Result<Option<RunId>, H::Error> {
        for state in [RunState::Running, RunState::Waiting] {
            let filter =
                RunFilter { state: Some(state), record: Some(other.to_owned()), ..RunFilter::default() };
            let of_sync = |recipe: &str| recipe != self.run.recipe && stands_for(sync, recipe);
            let mut rows = self.history.rows(&filter).await?;
            rows.retain(|row| of_sync(&row.recipe));
            let details = self.history.details(&rows).await?;
            let has_begun = |detail: &RunDetail| {
                detail.entries.iter().any(|stamped| matches!(stamped.entry, Entry::Started { .. }))
            };
            if let Some(detail) = details.into_iter().find(has_begun) {
                return Ok(Some(detail.run.id));
            }
        }
        Ok(None)
    }

    /// The record as the step `step` has read it in the successful runs about `record` that have ended last.
    async fn readings(&self, sync: &str, record: &str, step: &str) -> Result<Vec<Reading>, H::Error> {
        let filter = RunFilter {
            state: Some(RunState::Succeeded),
            record: Some(record.to_owned()),
            limit: Some(MOST_RUNS),
            ..RunFilter::default()
        };
        let mut rows = self.history.rows(&filter).await?;
        rows.retain(|row| stands_for(sync, &row.recipe));
        rows.sort_by_key(|row| Reverse(row.finished));
        rows.truncate(MOST_READINGS);
        let details = self.history.details(&rows).await?;
        let entries = details.iter().flat_map(|detail| detail.entries.iter().rev());
        let read = entries.filter_map(|stamped| match &stamped.entry {
            Entry::StepSucceeded { step: key, result, .. } if key.action == step => Some(result.as_ref()),
            _ => None,
        });
        let is_own =
            |record: &&Value| record.get("id").and_then(id).is_some_and(|id| id == self.subject.record);
        let reading =
            |record: &Value| Reading { record: record.clone(), changed: self.subject.changed(record) };
        Ok(read.filter(is_own).map(reading).collect())
    }
}
