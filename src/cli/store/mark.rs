//! The mark of a store that is being filled from elsewhere. While it is there, something is missing:
//! nothing works on such a store, and it is filled up only from what is still as it was.

use anyhow::anyhow;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cli::Failure;
use crate::journal::{Journal, Record};
use crate::workspace::Store;

/// The key of the mark among remembered values.
const MARK: &str = "hob:filled-from";
/// The key under which it stands what a store was filled from, once all is there.
const FILLED: &str = "hob:filled";

/// What a store is filled from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Origin {
    /// What the store is called.
    pub(super) from: String,
    /// What it held; `None` where that is not told, as in an export of the first hob.
    pub(super) fingerprint: Option<String>,
}

impl Origin {
    /// Whether `self` is what `before` was: for certain, not perhaps.
    fn is_still(&self, before: &Origin) -> bool {
        self.fingerprint.is_some() && self == before
    }
}

/// What `journal` is being filled from; `None` where nothing is missing.
async fn marked(journal: &dyn Journal) -> Result<Option<Origin>, Failure> {
    let mark = journal.state(MARK).await.map_err(Failure::world)?;
    Ok(match mark {
        None | Some(Value::Null) => None,
        Some(Value::String(from)) => Some(Origin { from, fingerprint: None }),
        Some(mark) => Some(
            serde_json::from_value(mark)
                .unwrap_or_else(|_| Origin { from: "elsewhere".to_owned(), fingerprint: None }),
        ),
    })
}

/// Refuses `journal`, the store `store`, while something of what it is filled from is missing.
pub(super) async fn see_whole(journal: &dyn Journal, store: &Store) -> Result<(), Failure> {
    let Some(Origin { from, .. }) = marked(journal).await? else { return Ok(()) };
    Err(Failure::world(anyhow!(
        "the store {store} holds only a part of {from}: a move was interrupted. Run the same \
         `hob store migrate` or `hob store import` again to finish it, or name another store in hob.yaml"
    )))
}

/// Refuses `journal`, the store `store`, while others work on it.
pub(super) async fn see_alone(journal: &dyn Journal, store: &Store) -> Result<(), Failure> {
    match journal.other_runners().await.map_err(Failure::world)? {
        0 => Ok(()),
        count => {
            let are = if count == 1 { "is" } else { "are" };
            Err(Failure::problem(anyhow!(
                "{count} other `hob run` {are} working on {store}; stop every `hob run` on it and try again"
            )))
        }
    }
}

/// Begins to fill `journal`, the store `store`, from `origin`, or goes on with that. One that holds
/// something else is refused. `false`: all of it is there already.
pub(super) async fn begin(journal: &dyn Journal, store: &Store, origin: &Origin) -> Result<bool, Failure> {
    let before = marked(journal).await?;
    if before.is_none() && filled(journal).await?.is_some_and(|filled| origin.is_still(&filled)) {
        return Ok(false);
    }
    match &before {
        None => see_empty(journal).await?,
        Some(before) if origin.is_still(before) => {}
        Some(before) => return Err(other_origin(store, origin, before)),
    }
    let mark = serde_json::to_value(origin).map_err(Failure::problem)?;
    journal.put_state(MARK, &mark).await.map_err(Failure::world)?;
    // A `hob run` shows itself before it looks for the mark: either we see it, or it sees the mark.
    let mut fit = see_alone(journal, store).await;
    if before.is_none() {
        if fit.is_ok() {
            fit = see_empty(journal).await;
        }
        if fit.is_err() {
            unmark(journal).await?;
        }
    }
    fit.map(|()| true)
}

/// What `journal` was filled from, if it was.
async fn filled(journal: &dyn Journal) -> Result<Option<Origin>, Failure> {
    let filled = journal.state(FILLED).await.map_err(Failure::world)?;
    Ok(filled.and_then(|filled| serde_json::from_value(filled).ok()))
}

async fn see_empty(journal: &dyn Journal) -> Result<(), Failure> {
    let events = journal.totals(None).await.map_err(Failure::world)?.events;
    let cursors = journal.cursors().await.map_err(Failure::world)?.len();
    if events == 0 && cursors == 0 {
        return Ok(());
    }
    Err(Failure::problem(anyhow!(
        "the store in hob.yaml is not empty (events: {events}, pollers: {cursors}); name a new one to move into"
    )))
}

fn other_origin(store: &Store, origin: &Origin, before: &Origin) -> Failure {
    let from = &before.from;
    let what = if *from == origin.from {
        format!("{from}, which has changed since, so that what is there is out of date")
    } else {
        format!("{from}, not from {}", origin.from)
    };
    Failure::problem(anyhow!(
        "the store {store} holds a part of {what}; name a new one in hob.yaml to move into, and delete \
         this one when you like"
    ))
}

/// All is there that `origin` held.
pub(super) async fn end(journal: &dyn Journal, origin: &Origin) -> Result<(), Failure> {
    let filled = serde_json::to_value(origin).map_err(Failure::problem)?;
    journal.put_state(FILLED, &filled).await.map_err(Failure::world)?;
    unmark(journal).await
}

async fn unmark(journal: &dyn Journal) -> Result<(), Failure> {
    journal.put_state(MARK, &Value::Null).await.map_err(Failure::world)
}

/// Whether a record is of the filling itself, and not to be moved.
pub(super) fn is_mark(record: &Record) -> bool {
    matches!(record, Record::Value { key, .. } if key == MARK || key == FILLED)
}
