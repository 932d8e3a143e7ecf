//! What goes into the journal and what comes out.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::check::CheckedRecipe;
use crate::event::{Cursor, Event, Seen};
use crate::recipe::{Recipe, parse};
use crate::run::{Accounts, Run, RunId, RunState, StampedEntry, Unsettled, Write};
use crate::source::SourceFile;

/// A store that cannot do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The store cannot be reached, opened or written: disk full, read-only, locked, connection lost.
    #[error("the store {store} {reason}")]
    Unavailable {
        /// The store, without credentials.
        store: String,
        /// What is wrong, as a phrase that follows the name, with the remedy.
        reason: String,
    },
    /// Somebody else has the run meanwhile; nothing was written.
    #[error("another process has taken over run {run}")]
    Fenced {
        /// The run.
        run: RunId,
    },
    /// Another process has taken over what a claim was about; nothing was written.
    #[error("another process has taken over {claim}")]
    Overtaken {
        /// What was claimed.
        claim: String,
    },
    /// The store was written by a newer hob.
    #[error(
        "the store {store} has format {found}, but this hob knows formats up to {known}; use a newer hob"
    )]
    Newer {
        /// The store.
        store: String,
        /// Its format.
        found: i64,
        /// The newest format known.
        known: i64,
    },
    /// Another process works on this store.
    #[error(
        "another hob{} is using the store {store}; stop it first, or use PostgreSQL to share the work",
        .holder.map(|process| format!(" (process {process})")).unwrap_or_default()
    )]
    Busy {
        /// The store.
        store: String,
        /// The other process, where it is known.
        holder: Option<u32>,
    },
    /// What is stored cannot be read.
    #[error("the store {store} cannot be read: {reason}")]
    Corrupt {
        /// The store.
        store: String,
        /// What.
        reason: String,
    },
}

/// Things to store together.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Events, each with the runs it causes.
    pub events: Vec<(Event, Vec<NewRun>)>,
    /// Progress of the poller that found them.
    pub progress: Option<Progress>,
}

/// A run to be.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRun {
    /// Identity.
    pub id: RunId,
    /// The recipe's name.
    pub recipe: String,
    /// Connections it will use.
    pub accounts: Accounts,
    /// Its lane within the recipe.
    pub lane: String,
}

/// A poller's page.
#[derive(Debug, Clone)]
pub struct Progress {
    /// The cursor after this page.
    pub cursor: Cursor,
    /// Records of this page, to be remembered as seen in the cursor's scan.
    pub seen: Vec<Seen>,
    /// Records to forget.
    pub forgotten: Vec<String>,
    /// Forget all records: the poller starts anew.
    pub reset: bool,
    /// The right to read for this cursor. If it has passed to another process, nothing of the batch is
    /// stored: [`Error::Overtaken`].
    pub claim: Option<Claim>,
}

/// The right to do what only one process may do at a time: valid while nobody has a higher epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What is claimed.
    pub name: String,
    /// Counts the times that it went from one owner to another.
    pub epoch: i64,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Appended {
    /// Events stored.
    pub events: usize,
    /// Runs that came to be.
    pub runs: usize,
    /// Events that were known already.
    pub duplicates: usize,
}

/// The right to work on a run: valid while nobody has a higher epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The run.
    pub run: RunId,
    /// Counts the times that the run was leased.
    pub epoch: i64,
}

/// A run that a worker got, with all it needs.
#[derive(Debug, Clone)]
pub struct LeasedRun {
    /// The right to work on it.
    pub lease: Lease,
    /// The run.
    pub run: Run,
    /// Its event.
    pub event: Event,
    /// Its history so far.
    pub entries: Vec<StampedEntry>,
}

/// Where a run stands after some entries.
#[derive(Debug, Clone, PartialEq)]
pub struct RunUpdate {
    /// Its state; `Waiting` with `due` for a retry or a timer.
    pub state: RunState,
    /// When to go on, for `Waiting`.
    pub due: Option<DateTime<Utc>>,
    /// Why it stands there, for people.
    pub error: Option<String>,
    /// Version of the recipe, when it begins.
    pub version: Option<String>,
    /// For a failed run: it keeps its lane until a person has decided about it.
    pub holds_lane: bool,
    /// What was written meanwhile, record by record.
    pub writes: Vec<Write>,
    /// The creates of which nothing is known yet; `None`: the same as before.
    pub unsettled: Option<Vec<Unsettled>>,
    /// When the entries were made.
    pub now: DateTime<Utc>,
}

impl RunUpdate {
    /// It stands at `state`, and nothing more is to be said.
    pub fn new(state: RunState, now: DateTime<Utc>) -> Self {
        let (due, error, version, unsettled) = (None, None, None, None);
        Self { state, due, error, version, holds_lane: false, writes: Vec::new(), unsettled, now }
    }
}

/// Which runs to list.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// Of this recipe.
    pub recipe: Option<String>,
    /// In this state.
    pub state: Option<RunState>,
    /// About this record.
    pub record: Option<String>,
    /// Created at or after.
    pub since: Option<DateTime<Utc>>,
    /// With this text, in any case of letters, in its record, its error, its event or its history. Reads the
    /// event and the history of every run that the other fields leave.
    pub text: Option<String>,
    /// At most so many; `None`: all.
    pub limit: Option<usize>,
}

/// A run in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunRow {
    /// Identity.
    pub id: RunId,
    /// The recipe's name.
    pub recipe: String,
    /// Where it stands.
    pub state: RunState,
    /// The record it is about.
    pub record: Option<String>,
    /// When it came to be.
    pub created: DateTime<Utc>,
    /// When it ended.
    pub finished: Option<DateTime<Utc>>,
    /// Why it is where it is.
    pub error: Option<String>,
    /// How many entries its history has.
    #[serde(skip)]
    pub entries: usize,
}

/// A run with everything known of it.
#[derive(Debug, Clone, Serialize)]
pub struct RunDetail {
    /// As in a list.
    #[serde(flatten)]
    pub row: RunRow,
    /// The run.
    pub run: Run,
    /// Its event.
    pub event: Event,
    /// Its history.
    pub entries: Vec<StampedEntry>,
}

/// What a run wrote to a record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Written {
    /// The run.
    pub run: RunId,
    /// Its recipe.
    pub recipe: String,
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    #[serde(flatten)]
    pub write: Write,
}

impl Written {
    /// `write`, by the run that is stored, or by the one that it names itself where that is forgotten.
    pub(super) fn new(run: Option<(RunId, String)>, at: DateTime<Utc>, write: Write) -> Option<Self> {
        let named = || write.origin.as_ref().map(|origin| (origin.run.clone(), origin.recipe.clone()));
        let (run, recipe) = run.or_else(named)?;
        Some(Self { run, recipe, at, write })
    }
}

/// Runs that have not ended, counted together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// Their recipe.
    pub recipe: String,
    /// Their connections, in the order of the recipe.
    pub connections: Vec<String>,
    /// Where they stand.
    pub state: RunState,
    /// How many they are.
    pub count: u64,
}

/// Counts for summaries and metrics.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Events stored.
    pub events: u64,
    /// Runs by state's name.
    pub runs: BTreeMap<String, u64>,
}

/// What is kept of the limits of one account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LimitState {
    /// Counts up with each write; 0: nothing is kept yet.
    pub version: i64,
    /// The text that the limiters wrote.
    pub text: String,
    /// The store's time, in microseconds since 1970.
    pub now: i64,
}

/// What became of a write of the limits of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LimitWrite {
    /// It is done.
    Done {
        /// The version that it made.
        version: i64,
        /// The store's time, in microseconds since 1970.
        now: i64,
    },
    /// Somebody else has written meanwhile.
    Conflict(LimitState),
}

/// A connection that nothing is sent on, because its credential is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldConnection {
    /// Its name.
    pub connection: String,
    /// Why, for people.
    pub reason: String,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// What may be forgotten. `None`: nothing for that reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// Runs that ended earlier, with their history; and events received earlier of which no run is left.
    pub before: Option<DateTime<Utc>>,
    /// Finished runs beyond so many, the oldest first.
    pub most_runs: Option<u64>,
    /// Dedup keys of events received earlier. What is reported again after that counts as new.
    pub dedup_before: Option<DateTime<Utc>>,
}

/// What was forgotten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Runs, with their history.
    pub runs: usize,
    /// Events.
    pub events: usize,
    /// Dedup keys.
    pub dedup_keys: usize,
}

/// What is stored, and how much of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StoreInfo {
    /// `sqlite` or `postgres`.
    pub kind: &'static str,
    /// Where it is, without credentials.
    pub place: String,
    /// Number of its format.
    pub format: i64,
    /// Size on disk.
    pub bytes: u64,
    /// Events and runs.
    #[serde(flatten)]
    pub totals: Totals,
    /// When the oldest stored event was received; `None` without events.
    pub oldest: Option<DateTime<Utc>>,
    /// Pollers with progress.
    pub cursors: u64,
    /// Links.
    pub links: u64,
}

/// The text of a recipe in one version: with it, a run can end with the recipe that it began with,
/// wherever and whenever it goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipeText {
    /// The recipe's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The file it stood in, for messages.
    pub file: String,
    /// The text.
    pub text: String,
}

impl RecipeText {
    /// The text of `recipe`.
    pub fn of(recipe: &CheckedRecipe) -> Self {
        let file = &recipe.recipe().file;
        Self {
            name: recipe.name().to_owned(),
            version: recipe.version().to_owned(),
            file: file.name().to_owned(),
            text: file.text().to_owned(),
        }
    }

    /// The recipe that it is, unchecked: what it names may be gone by now.
    pub fn recipe(&self) -> Option<Recipe> {
        parse(&SourceFile::new(self.file.as_str(), self.text.as_str())).recipe
    }
}

/// "This record here is that record there."
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// Which kind of link, such as `client-contact`.
    pub name: String,
    /// One end.
    pub from: String,
    /// The other end.
    pub to: String,
}
