//! Gathers what is known about a record whose event may be an echo.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::pair_base::PairSearch;
use super::record_history::RecordHistory;
use crate::check::CheckedRecipe;
use crate::event::{Event, Source};
use crate::journal::{RunDetail, RunFilter};
use crate::recipe::EchoPolicy;
use crate::run::echo::{Earlier, Evidence, OwnWrite, Pending, SourceWrite, Subject, may_wait};
use crate::run::{Entry, Run, RunState};

/// Maximum number of writes to a record, the newest.
const MOST_WRITES: usize = 50;
/// Maximum number of earlier events about it, the newest.
const MOST_EARLIER: usize = 12;
/// Maximum number of source records to examine.
const MOST_SOURCES: usize = 4;

/// What the evidence for a run is read from.
pub(super) struct EvidenceSearch<'a, H> {
    pub(super) history: H,
    pub(super) recipe: &'a CheckedRecipe,
    pub(super) run: &'a Run,
}

impl<H: RecordHistory> EvidenceSearch<'_, H> {
    /// What is known about the record of the run's event; `None` if the event cannot be an echo.
    pub(super) async fn evidence(
        &self,
        event: &Event,
        now: DateTime<Utc>,
    ) -> Result<Option<Evidence>, H::Error> {
        let subject = Subject::of(self.recipe, event, &self.run.accounts).filter(Subject::may_be_echo);
        let Some(subject) = subject else { return Ok(None) };
        let allow = self.recipe.recipe().echo == EchoPolicy::Allow;
        let may_wait = !allow && may_wait(&subject, event, now);
        // Writes in progress first: those that finish meanwhile are then among the finished writes.
        let pending = self.pending(&subject).await?;
        let Self { history, recipe, run } = self;
        let pair = match event.source {
            // Whoever wants a backfill wants to have each pair looked at.
            Source::Backfill(_) => None,
            _ => PairSearch { history, recipe, run, subject: &subject, may_wait }.base().await?,
        };
        if may_wait && pair.as_ref().is_some_and(|pair| pair.under_way.is_some()) {
            // It is asked again: all the rest is read once that run has ended.
            let (writes, earlier, crossing) = (Vec::new(), Vec::new(), Vec::new());
            return Ok(Some(Evidence { subject, writes, pending, earlier, crossing, pair, allow }));
        }
        let writes = self.own_writes(&subject).await?;
        if writes.is_empty() && pending.is_empty() && pair.is_none() {
            return Ok(None);
        }
        let earlier = self.earlier(event, &subject, |state| state != RunState::Waiting).await?;
        let crossing = self.crossing(&subject, &writes).await?;
        Ok(Some(Evidence { subject, writes, pending, earlier, crossing, pair, allow }))
    }

    async fn own_writes(&self, subject: &Subject) -> Result<Vec<OwnWrite>, H::Error> {
        let mut written = self.history.written(&subject.connection, &subject.record, MOST_WRITES).await?;
        written.reverse();
        let own = written.iter().filter(|written| written.run != self.run.id).filter_map(|written| {
            subject.own_write(self.recipe.catalog(), &written.write, &written.run, written.at)
        });
        Ok(own.collect())
    }

    async fn pending(&self, subject: &Subject) -> Result<Vec<Pending>, H::Error> {
        let unsettled = self.history.unsettled().await?;
        let others = unsettled.iter().filter(|(run, _)| *run != self.run.id);
        let pending = others.filter_map(|(run, known)| subject.pending(self.recipe.catalog(), known, run));
        Ok(pending.collect())
    }

    /// Earlier events about the record for the same recipe and accounts, oldest first, if `counts` accepts the states
    /// of their runs.
    pub(super) async fn earlier(
        &self,
        event: &Event,
        subject: &Subject,
        counts: impl Fn(RunState) -> bool,
    ) -> Result<Vec<Earlier>, H::Error> {
        let run = self.run;
        let filter = RunFilter {
            recipe: Some(run.recipe.clone()),
            record: Some(subject.event_record.clone()),
            until: Some(event.received),
            // The run itself is one of them.
            limit: Some(MOST_EARLIER + 1),
            ..RunFilter::default()
        };
        let mut rows = self.history.rows(&filter).await?;
        rows.retain(|row| row.id != run.id && counts(row.state));
        let details = self.history.details(&rows).await?;
        let details = details.iter().filter(|detail| {
            let is_same = detail.run.accounts == run.accounts && detail.event.received <= event.received;
            is_same && detail.event.unreadable().is_none() && !is_coalesced(detail)
        });
        let mut earlier: Vec<Earlier> =
            details.map(|detail| subject.earlier(&detail.event, &detail.entries, detail.row.state)).collect();
        earlier.sort_by_key(|earlier| earlier.report.received);
        Ok(earlier)
    }

    /// Writes derived from this record to the records from which `writes` were derived.
    async fn crossing(&self, subject: &Subject, writes: &[OwnWrite]) -> Result<Vec<SourceWrite>, H::Error> {
        let sources = writes.iter().rev().filter_map(|write| write.source.as_ref());
        let sources: BTreeSet<(&str, &str)> = sources
            .map(|source| (source.record.as_str(), source.connection.as_str()))
            .take(MOST_SOURCES)
            .collect();
        let here = (subject.connection.as_str(), subject.event_record.as_str());
        let mut crossing = Vec::new();
        for (record, connection) in sources {
            let written = self.history.written(connection, record, MOST_WRITES).await?;
            let derived = written
                .iter()
                .filter_map(|written| SourceWrite::of(here, &written.write, &written.run, written.at));
            crossing.extend(derived);
        }
        Ok(crossing)
    }
}

/// Whether its event was left to the run of a later one, so that nobody has acted on what it says.
fn is_coalesced(detail: &RunDetail) -> bool {
    detail.entries.iter().any(|stamped| matches!(stamped.entry, Entry::Coalesced { .. }))
}
