//! What is known about a record: hob's writes to it, writes in progress, and the runs about it.

use super::leases::LeaseGuard;
use super::link_end::LinkEnd;
use super::store_retry::{LeaseLost, with_store_retry};
use crate::journal::{Journal, LinkBase, RunDetail, RunFilter, RunRow, Written};
use crate::run::{RunId, Unsettled};

/// Where the past of records is read from.
pub(super) trait RecordHistory {
    /// Why it cannot be read.
    type Error;

    /// Up to `limit` writes to a record, newest first.
    async fn written(
        &self,
        connection: &str,
        record: &str,
        limit: usize,
    ) -> Result<Vec<Written>, Self::Error>;

    /// Writes without a known outcome, of all runs.
    async fn unsettled(&self) -> Result<Vec<(RunId, Unsettled)>, Self::Error>;

    /// The runs that match `filter`, newest first.
    async fn rows(&self, filter: &RunFilter) -> Result<Vec<RunRow>, Self::Error>;

    /// These runs with their events and histories, without those that are gone.
    async fn details(&self, rows: &[RunRow]) -> Result<Vec<RunDetail>, Self::Error>;

    /// The record at the other end of a link.
    async fn linked(&self, end: &LinkEnd) -> Result<Option<String>, Self::Error>;

    /// What is noted with a link.
    async fn link_base(&self, end: &LinkEnd) -> Result<Option<LinkBase>, Self::Error>;
}

/// The journal, read for a run.
pub(super) struct JournalHistory<'a> {
    pub(super) journal: &'a dyn Journal,
    pub(super) run: &'a RunId,
    pub(super) guard: &'a LeaseGuard,
}

impl RecordHistory for JournalHistory<'_> {
    type Error = LeaseLost;

    async fn written(&self, connection: &str, record: &str, limit: usize) -> Result<Vec<Written>, LeaseLost> {
        let ask = || self.journal.written(record, Some(connection), limit);
        with_store_retry(self.run, self.guard, ask).await
    }

    async fn unsettled(&self) -> Result<Vec<(RunId, Unsettled)>, LeaseLost> {
        with_store_retry(self.run, self.guard, || self.journal.unsettled()).await
    }

    async fn rows(&self, filter: &RunFilter) -> Result<Vec<RunRow>, LeaseLost> {
        with_store_retry(self.run, self.guard, || self.journal.runs(filter)).await
    }

    async fn details(&self, rows: &[RunRow]) -> Result<Vec<RunDetail>, LeaseLost> {
        let mut details = Vec::with_capacity(rows.len());
        for row in rows {
            details.extend(with_store_retry(self.run, self.guard, || self.journal.run(&row.id)).await?);
        }
        Ok(details)
    }

    async fn linked(&self, end: &LinkEnd) -> Result<Option<String>, LeaseLost> {
        let (from, to) = end.ends();
        let ask = || self.journal.find_link(&end.name, from, to);
        let link = with_store_retry(self.run, self.guard, ask).await?;
        Ok(link.map(|link| if end.is_from { link.to } else { link.from }))
    }

    async fn link_base(&self, end: &LinkEnd) -> Result<Option<LinkBase>, LeaseLost> {
        let (from, to) = end.ends();
        with_store_retry(self.run, self.guard, || self.journal.link_base(&end.name, from, to)).await
    }
}
