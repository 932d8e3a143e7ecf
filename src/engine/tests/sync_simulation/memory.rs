//! The journal of the simulation.

use std::collections::BTreeMap;
use std::convert::Infallible;

use super::links::MemoryLinks;
use crate::engine::link_end::LinkEnd;
use crate::engine::record_history::RecordHistory;
use crate::journal::{LinkBase, RunDetail, RunFilter, RunRow, Written};
use crate::run::{RunId, Unsettled};

/// Runs, writes and writes without a known outcome, as a journal keeps them.
#[derive(Default)]
pub(super) struct MemoryHistory {
    /// By creation.
    pub(super) runs: Vec<RunDetail>,
    /// By time.
    pub(super) writes: Vec<Written>,
    pub(super) unsettled: BTreeMap<RunId, Vec<Unsettled>>,
    pub(super) links: MemoryLinks,
}

impl MemoryHistory {
    pub(super) fn run(&self, id: &RunId) -> &RunDetail {
        self.runs.iter().rfind(|detail| detail.run.id == *id).unwrap()
    }

    pub(super) fn run_mut(&mut self, id: &RunId) -> &mut RunDetail {
        self.runs.iter_mut().rfind(|detail| detail.run.id == *id).unwrap()
    }
}

impl RecordHistory for &MemoryHistory {
    type Error = Infallible;

    async fn written(
        &self,
        connection: &str,
        record: &str,
        limit: usize,
    ) -> Result<Vec<Written>, Infallible> {
        let is_of =
            |written: &&Written| written.write.connection == connection && written.write.record == record;
        Ok(self.writes.iter().rev().filter(is_of).take(limit).cloned().collect())
    }

    async fn unsettled(&self) -> Result<Vec<(RunId, Unsettled)>, Infallible> {
        let all = self.unsettled.iter();
        Ok(all.flat_map(|(run, known)| known.iter().map(|known| (run.clone(), known.clone()))).collect())
    }

    async fn rows(&self, filter: &RunFilter) -> Result<Vec<RunRow>, Infallible> {
        let RunFilter {
            recipe,
            state,
            record,
            since,
            until,
            before: None,
            text: None,
            priority: None,
            limit,
        } = filter
        else {
            panic!("{filter:?}");
        };
        let matches = |row: &RunRow| {
            recipe.as_ref().is_none_or(|recipe| *recipe == row.recipe)
                && state.is_none_or(|state| state == row.state)
                && (record.is_none() || *record == row.record)
                && since.is_none_or(|since| since <= row.created)
                && until.is_none_or(|until| row.created <= until)
        };
        let newest = self.runs.iter().rev().filter(|detail| matches(&detail.row));
        let newest = newest.take(limit.unwrap_or(usize::MAX));
        Ok(newest.map(|detail| detail.row.clone()).collect())
    }

    async fn details(&self, rows: &[RunRow]) -> Result<Vec<RunDetail>, Infallible> {
        Ok(rows.iter().map(|row| self.run(&row.id).clone()).collect())
    }

    async fn linked(&self, end: &LinkEnd) -> Result<Option<String>, Infallible> {
        let (from, to) = end.ends();
        Ok(self.links.find(from, to).map(|link| if end.is_from { link.1.clone() } else { link.0.clone() }))
    }

    async fn link_base(&self, end: &LinkEnd) -> Result<Option<LinkBase>, Infallible> {
        let (from, to) = end.ends();
        Ok(self.links.find(from, to).map(|link| link.2.clone()))
    }
}
