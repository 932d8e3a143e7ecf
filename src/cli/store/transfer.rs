//! Everything that a store holds, on its way elsewhere: page by page, in constant memory.

use std::time::Duration;

use anyhow::anyhow;
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::Failure;
use crate::journal::{Journal, Page, Part, Record};
use crate::run::RunState;

/// Records read at a time.
const PAGE: usize = 500;

/// Where records come from, one page after the other.
pub(super) struct Outgoing<'a> {
    journal: &'a dyn Journal,
    parts: std::vec::IntoIter<Part>,
    /// The part under way, and where its next page begins.
    place: Option<(Part, Option<String>)>,
}

impl<'a> Outgoing<'a> {
    /// Everything in `journal`. It must not change meanwhile: a run under way is refused.
    pub(super) async fn of(journal: &'a dyn Journal) -> Result<Self, Failure> {
        let totals = journal.totals(None).await.map_err(Failure::world)?;
        if journal.is_shared()
            && let Some(count) = totals.runs.get(RunState::Running.name())
        {
            return Err(Failure::problem(anyhow!(
                "runs still in progress: {count}; stop every `hob run` on this store and try again. If one was \
                 killed, start `hob run` on this store for a minute first, so that its runs are released"
            )));
        }
        let mut parts = Part::ALL.to_vec().into_iter();
        let place = parts.next().map(|part| (part, None));
        Ok(Self { journal, parts, place })
    }

    /// The next records; `None` after the last.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Record>>, Failure> {
        while let Some((part, after)) = self.place.take() {
            let page = self.journal.export(part, after.as_deref(), PAGE).await;
            let Page { records, next } = page.map_err(Failure::world)?;
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
}

/// Marks a store that is being filled, and with what: until that is done, it can be begun again.
const MARK: &str = "hob:filled-from";

/// Begins to fill `journal` from `from`. One that holds something else is refused.
pub(super) async fn begin(journal: &dyn Journal, from: &str) -> Result<(), Failure> {
    let mark = journal.state(MARK).await.map_err(Failure::world)?;
    let again = mark.is_some_and(|mark| mark == from);
    let totals = journal.totals(None).await.map_err(Failure::world)?;
    let cursors = journal.cursors().await.map_err(Failure::world)?;
    if !again && (totals.events > 0 || !cursors.is_empty()) {
        return Err(Failure::problem(anyhow!(
            "the store in hob.yaml is not empty (events: {}, pollers: {}); name a new one there to move into",
            totals.events,
            cursors.len()
        )));
    }
    journal.put_state(MARK, &from.into()).await.map_err(Failure::world)
}

/// All is there.
pub(super) async fn end(journal: &dyn Journal) -> Result<(), Failure> {
    journal.put_state(MARK, &serde_json::Value::Null).await.map_err(Failure::world)
}

/// Whether a record is of the filling itself, and not to be moved.
pub(super) fn is_mark(record: &Record) -> bool {
    matches!(record, Record::Value { key, .. } if key == MARK)
}

/// How far it is, where somebody watches; counts records.
pub(super) struct Moved {
    bar: ProgressBar,
    pub(super) records: u64,
}

impl Moved {
    pub(super) fn new(watched: bool) -> Self {
        let bar = if watched { ProgressBar::no_length() } else { ProgressBar::hidden() };
        // Falls back to the usual style should the template ever be wrong.
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
