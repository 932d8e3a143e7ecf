//! The marker of a store that an import is filling. While it exists, records are missing: nothing runs on such a
//! store, and only the unchanged source can complete it.

use anyhow::anyhow;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cli::Failure;
use crate::journal::Journal;
use crate::workspace::Store;

/// The marker with the source of an incomplete import.
const IN_PROGRESS: &str = "import_in_progress";
/// The marker with the source of a complete import.
const COMPLETED: &str = "import_completed";

/// The source of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ImportSource {
    /// Its name.
    pub(super) from: String,
    /// Its fingerprint; `None` if unknown, as in exports of the first hob.
    pub(super) fingerprint: Option<String>,
}

impl ImportSource {
    /// Whether both are certainly equal.
    fn is_unchanged_since(&self, before: &ImportSource) -> bool {
        self.fingerprint.is_some() && self == before
    }
}

/// The source of an incomplete import into `journal`, if any.
async fn read_in_progress(journal: &dyn Journal) -> Result<Option<ImportSource>, Failure> {
    let mark = journal.marker(IN_PROGRESS).await.map_err(Failure::unavailable)?;
    Ok(match mark {
        None => None,
        Some(Value::String(from)) => Some(ImportSource { from, fingerprint: None }),
        Some(mark) => Some(
            serde_json::from_value(mark)
                .unwrap_or_else(|_| ImportSource { from: "elsewhere".to_owned(), fingerprint: None }),
        ),
    })
}

/// Rejects `journal` (the store `store`) while an import is incomplete.
pub(super) async fn ensure_complete(journal: &dyn Journal, store: &Store) -> Result<(), Failure> {
    let Some(ImportSource { from, .. }) = read_in_progress(journal).await? else { return Ok(()) };
    Err(Failure::unavailable(anyhow!(
        "the store {store} holds only a part of {from}: a move was interrupted. Run the same \
         `hob store migrate` or `hob store import` again to finish it, or name another store in hob.yaml"
    )))
}

/// Rejects `journal` (the store `store`) while other processes run recipes on it.
pub(super) async fn ensure_no_other_runner(journal: &dyn Journal, store: &Store) -> Result<(), Failure> {
    match journal.other_runners().await.map_err(Failure::unavailable)? {
        0 => Ok(()),
        count => {
            let are = if count == 1 { "is" } else { "are" };
            Err(Failure::problem(anyhow!(
                "{count} other `hob run` {are} working on {store}; stop every `hob run` on it and try again"
            )))
        }
    }
}

/// Starts or continues filling `journal` (the store `store`) from `source`. Rejects stores with other content.
/// `false` if it is complete already.
pub(super) async fn begin_import(
    journal: &dyn Journal,
    store: &Store,
    source: &ImportSource,
) -> Result<bool, Failure> {
    let before = read_in_progress(journal).await?;
    if before.is_none()
        && read_completed(journal).await?.is_some_and(|completed| source.is_unchanged_since(&completed))
    {
        return Ok(false);
    }
    match &before {
        None => ensure_empty(journal).await?,
        Some(before) if source.is_unchanged_since(before) => {}
        Some(before) => return Err(other_source(store, source, before)),
    }
    let mark = serde_json::to_value(source).map_err(Failure::problem)?;
    journal.set_marker(IN_PROGRESS, Some(&mark)).await.map_err(Failure::unavailable)?;
    // A `hob run` registers before it checks for the marker: either we see it, or it sees the marker.
    let mut fit = ensure_no_other_runner(journal, store).await;
    if before.is_none() {
        if fit.is_ok() {
            fit = ensure_empty(journal).await;
        }
        if fit.is_err() {
            clear_in_progress(journal).await?;
        }
    }
    fit.map(|()| true)
}

/// The source that `journal` was completely filled from, if any.
async fn read_completed(journal: &dyn Journal) -> Result<Option<ImportSource>, Failure> {
    let completed = journal.marker(COMPLETED).await.map_err(Failure::unavailable)?;
    Ok(completed.and_then(|completed| serde_json::from_value(completed).ok()))
}

async fn ensure_empty(journal: &dyn Journal) -> Result<(), Failure> {
    let events = journal.totals(None).await.map_err(Failure::unavailable)?.events;
    let cursors = journal.cursors().await.map_err(Failure::unavailable)?.len();
    if events == 0 && cursors == 0 {
        return Ok(());
    }
    Err(Failure::problem(anyhow!(
        "the store in hob.yaml is not empty (events: {events}, pollers: {cursors}); name a new one to move into"
    )))
}

fn other_source(store: &Store, source: &ImportSource, before: &ImportSource) -> Failure {
    let from = &before.from;
    let what = if *from == source.from {
        format!("{from}, which has changed since, so that what is there is out of date")
    } else {
        format!("{from}, not from {}", source.from)
    };
    Failure::problem(anyhow!(
        "the store {store} holds a part of {what}; name a new one in hob.yaml to move into, and delete \
         this one when you like"
    ))
}

/// Marks the import of `source` as complete.
pub(super) async fn end(journal: &dyn Journal, source: &ImportSource) -> Result<(), Failure> {
    let completed = serde_json::to_value(source).map_err(Failure::problem)?;
    journal.set_marker(COMPLETED, Some(&completed)).await.map_err(Failure::unavailable)?;
    clear_in_progress(journal).await
}

async fn clear_in_progress(journal: &dyn Journal) -> Result<(), Failure> {
    journal.set_marker(IN_PROGRESS, None).await.map_err(Failure::unavailable)
}
