//! Copies all content of a store, page by page, in constant memory.

use std::time::Duration;

use anyhow::anyhow;
use indicatif::{ProgressBar, ProgressStyle};

use super::import_marker::{ImportSource, ensure_complete, ensure_no_other_runner};
use crate::cli::Failure;
use crate::journal::{Journal, Page, Part, Record, Snapshot};
use crate::run::RunState;
use crate::workspace::Store;

/// Records per page.
const PAGE: usize = 500;

/// A source of records, read page by page.
pub(super) struct Outgoing<'a> {
    journal: &'a dyn Journal,
    snapshot: Box<dyn Snapshot>,
    source: ImportSource,
    parts: std::vec::IntoIter<Part>,
    /// The current part and the cursor of its next page.
    place: Option<(Part, Option<String>)>,
}

impl<'a> Outgoing<'a> {
    /// A snapshot of `journal` (the store `store`), which must be complete; others may use it meanwhile.
    pub(super) async fn snapshot(journal: &'a dyn Journal, store: &Store) -> Result<Self, Failure> {
        ensure_complete(journal, store).await?;
        let snapshot = journal.snapshot().await.map_err(Failure::unavailable)?;
        let fingerprint = Some(snapshot.fingerprint().await.map_err(Failure::unavailable)?);
        let mut parts = Part::ALL.to_vec().into_iter();
        let place = parts.next().map(|part| (part, None));
        Ok(Self {
            journal,
            snapshot,
            source: ImportSource { from: store.to_string(), fingerprint },
            parts,
            place,
        })
    }

    /// The same for a migration: no other process may run recipes on it.
    pub(super) async fn for_good(journal: &'a dyn Journal, store: &Store) -> Result<Self, Failure> {
        ensure_complete(journal, store).await?;
        let totals = journal.totals(None).await.map_err(Failure::unavailable)?;
        if journal.is_shared()
            && let Some(count) = totals.runs.get(RunState::Running.name())
        {
            let runs = if *count == 1 { "run is" } else { "runs are" };
            return Err(Failure::problem(anyhow!(
                "{count} {runs} still in progress. Stop every `hob run` on this store and try again. If one was \
                 killed, start `hob run` on this store for a minute first, so that its runs are released."
            )));
        }
        ensure_no_other_runner(journal, store).await?;
        Self::snapshot(journal, store).await
    }

    /// The store and its fingerprint.
    pub(super) fn source(&self) -> &ImportSource {
        &self.source
    }

    /// The next records; `None` after the last.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Record>>, Failure> {
        while let Some((part, after)) = self.place.take() {
            let page = self.snapshot.export(part, after.as_deref(), PAGE).await;
            let Page { records, next } = page.map_err(Failure::unavailable)?;
            self.place = match next {
                Some(next) => Some((part, Some(next))),
                None => self.parts.next().map(|part| (part, None)),
            };
            if !records.is_empty() {
                return Ok(Some(records));
            }
        }
        Ok(None)
    }

    /// To be called after the last record: fails if the store has changed since the start, because the copy would
    /// lack the changes.
    pub(super) async fn end(self) -> Result<(), Failure> {
        let fingerprint = self.journal.fingerprint().await.map_err(Failure::unavailable)?;
        if self.source.fingerprint.as_deref() == Some(&fingerprint) {
            return Ok(());
        }
        Err(Failure::problem(anyhow!(
            "{} has changed while it was read; stop everything that works with it and begin anew, into a store \
             or a file that is new",
            self.source.from
        )))
    }
}

/// Progress on a terminal, in records.
pub(super) struct Moved {
    bar: ProgressBar,
    pub(super) records: u64,
}

impl Moved {
    pub(super) fn new(watched: bool) -> Self {
        let bar = if watched { ProgressBar::no_length() } else { ProgressBar::hidden() };
        // Falls back to the default style if the template is invalid.
        if let Ok(style) = ProgressStyle::with_template("{spinner} {human_pos} records, {per_sec}") {
            bar.set_style(style);
        }
        if watched {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        Self { bar, records: 0 }
    }

    pub(super) fn add(&mut self, records: usize) {
        self.records += records as u64;
        self.bar.set_position(self.records);
    }

    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}
