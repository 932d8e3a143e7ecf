//! Types stored in and read from the journal.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::check::CheckedRecipe;
use crate::event::{Cursor, Event, Priority, Seen};
use crate::recipe::{Recipe, parse};
use crate::run::{Accounts, Run, RunId, RunState, StampedEntry, Unsettled, Write};
use crate::source::SourceFile;

/// Why a store cannot do what was asked.
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
    /// The run was leased by another worker meanwhile; nothing was written.
    #[error("another process has taken over run {run}")]
    Fenced {
        /// The run.
        run: RunId,
    },
    /// The claim was taken over by another process; nothing was written.
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
    /// What is imported links a record that is linked to another one already.
    #[error(
        "the store {store} cannot take the link `{}` from `{}` to `{}`: there is one from `{}` to `{}` already, and \
         a record has one link of a name",
        .link.name, .link.from, .link.to, .holder.from, .holder.to
    )]
    Linked {
        /// The store.
        store: String,
        /// What is imported.
        link: Box<Link>,
        /// What is stored.
        holder: Box<Link>,
    },
    /// Stored data cannot be read.
    #[error("the store {store} cannot be read: {reason}")]
    Corrupt {
        /// The store.
        store: String,
        /// What is wrong.
        reason: String,
    },
}

/// Items to be stored together.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Events, each with the runs it causes.
    pub events: Vec<(Event, Vec<NewRun>)>,
    /// Progress of the poller that found them.
    pub progress: Option<Progress>,
}

/// A run to be created.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRun {
    /// Identity.
    pub id: RunId,
    /// The recipe's name.
    pub recipe: String,
    /// The connections it uses.
    pub accounts: Accounts,
    /// Its lane within the recipe.
    pub lane: String,
    /// How long later events about its record are waited for: a run about the record, in the lane and on the accounts,
    /// that waits for this and has not begun is left to this run, which is due when that one was.
    pub coalesce: Option<Duration>,
}

/// A poller's page.
#[derive(Debug, Clone)]
pub struct Progress {
    /// The cursor after this page.
    pub cursor: Cursor,
    /// Records of this page, to be stored as seen in the cursor's scan.
    pub seen: Vec<Seen>,
    /// Records to forget.
    pub forgotten: Vec<String>,
    /// Forget all seen records, because the poller restarts.
    pub reset: bool,
    /// The claim on this cursor. If another process has taken it over, nothing of the batch is stored:
    /// [`Error::Overtaken`].
    pub claim: Option<Claim>,
    /// Stored by someone else than the poller: the cursor stays as it is. If its scan or page is another one than in
    /// `cursor`, the poller has gone on, and nothing of the batch is stored: [`Error::Overtaken`].
    pub beside: bool,
}

/// How many records a cursor has seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SeenCount {
    /// All that are known.
    pub known: u64,
    /// Those of them that were last seen before a certain scan.
    pub missing: u64,
}

/// The right to do work that only one process may do at a time; valid until the epoch is higher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What is claimed.
    pub name: String,
    /// Incremented each time the owner changes.
    pub epoch: i64,
}

/// The result of storing a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Appended {
    /// Events stored.
    pub events: usize,
    /// Runs created.
    pub runs: usize,
    /// Events that were duplicates.
    pub duplicates: usize,
}

/// The right to work on a run; valid until the epoch is higher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The run.
    pub run: RunId,
    /// Incremented each time the run is leased.
    pub epoch: i64,
}

/// A leased run with everything needed to continue it.
#[derive(Debug, Clone)]
pub struct LeasedRun {
    /// The lease.
    pub lease: Lease,
    /// The run.
    pub run: Run,
    /// Its event.
    pub event: Event,
    /// Its history so far.
    pub entries: Vec<StampedEntry>,
}

/// The state of a run after some entries.
#[derive(Debug, Clone, PartialEq)]
pub struct RunUpdate {
    /// Its state; `Waiting` with `due` for a retry or a timer.
    pub state: RunState,
    /// When it is due, for `Waiting`.
    pub due: Option<DateTime<Utc>>,
    /// Why it is in this state, for people.
    pub error: Option<String>,
    /// Version of the recipe, when the run starts.
    pub version: Option<String>,
    /// For a failed run: it blocks its lane until a person intervenes.
    pub holds_lane: bool,
    /// Writes since the last update.
    pub writes: Vec<Write>,
    /// The creates with an unknown outcome; `None` leaves them unchanged.
    pub unsettled: Option<Vec<Unsettled>>,
    /// When the entries were appended.
    pub now: DateTime<Utc>,
}

impl RunUpdate {
    /// An update of the state alone.
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
    /// Created at or before.
    pub until: Option<DateTime<Utc>>,
    /// Older than this run. A run that is gone is older than none.
    pub before: Option<RunId>,
    /// Containing this text, ignoring case, in record, error, event or history. Reads event and history of every run
    /// that matches the other fields.
    pub text: Option<String>,
    /// Of this priority or a more urgent one.
    pub priority: Option<Priority>,
    /// At most this many; `None` for all.
    pub limit: Option<usize>,
}

/// The place of a run among all, by creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunPlace {
    pub(super) created: DateTime<Utc>,
    pub(super) number: i64,
}

/// A run in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunRow {
    /// Identity.
    pub id: RunId,
    /// The recipe's name.
    pub recipe: String,
    /// Its state.
    pub state: RunState,
    /// The record it is about.
    pub record: Option<String>,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it ended.
    pub finished: Option<DateTime<Utc>>,
    /// Why it is in this state.
    pub error: Option<String>,
    /// The number of its entries.
    #[serde(skip)]
    pub entries: usize,
}

/// The id of a run, and those just before and after it among all runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunNeighbours {
    /// The run.
    pub id: RunId,
    /// The one before it by id.
    pub before: Option<RunId>,
    /// The one after it by id.
    pub after: Option<RunId>,
}

impl RunNeighbours {
    /// The shortest beginning of the id, of `least` characters at least, that no other run's id has.
    pub fn unique_prefix(&self, least: usize) -> &str {
        let id = &self.id.0;
        let shared = |other: &RunId| id.bytes().zip(other.0.bytes()).take_while(|(a, b)| a == b).count();
        let shared = self.before.iter().chain(&self.after).map(shared).max().unwrap_or(0);
        id.get(..least.max(shared + 1)).unwrap_or(id)
    }
}

/// A run with its event and history.
#[derive(Debug, Clone, Serialize)]
pub struct RunDetail {
    /// Its row in lists.
    #[serde(flatten)]
    pub row: RunRow,
    /// The run.
    pub run: Run,
    /// Its event.
    pub event: Event,
    /// Its history.
    pub entries: Vec<StampedEntry>,
}

/// A write to a record, with the run that made it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Written {
    /// The run.
    pub run: RunId,
    /// Its recipe.
    pub recipe: String,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// The write.
    #[serde(flatten)]
    pub write: Write,
}

impl Written {
    /// A write of `run`, or, if that was pruned, of the run named in its origin.
    pub(super) fn new(run: Option<(RunId, String)>, at: DateTime<Utc>, write: Write) -> Option<Self> {
        let named = || write.origin.as_ref().map(|origin| (origin.run.clone(), origin.recipe.clone()));
        let (run, recipe) = run.or_else(named)?;
        Some(Self { run, recipe, at, write })
    }
}

/// Runs that may be leased now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Queue {
    /// Their number.
    pub runs: u64,
    /// When the first of them was created.
    pub oldest: Option<DateTime<Utc>>,
}

/// A group of unfinished runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// Their recipe.
    pub recipe: String,
    /// Their connections, in recipe order.
    pub connections: Vec<String>,
    /// Their state.
    pub state: RunState,
    /// The number of runs.
    pub count: u64,
}

/// Counts for summaries and metrics.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Events stored.
    pub events: u64,
    /// Runs by the name of their state.
    pub runs: BTreeMap<String, u64>,
}

/// The stored limits of one account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LimitState {
    /// Incremented by each write; 0 if nothing is stored.
    pub version: i64,
    /// The limiters' state as text.
    pub text: String,
    /// The store's time, in microseconds since 1970.
    pub now: i64,
}

/// The result of a conditional write of limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LimitWrite {
    /// Written.
    Done {
        /// The new version.
        version: i64,
        /// The store's time, in microseconds since 1970.
        now: i64,
    },
    /// Another version was stored meanwhile.
    Conflict(LimitState),
}

/// A connection that sends nothing because its credential was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldConnection {
    /// Its name.
    pub connection: String,
    /// Why, for people.
    pub reason: String,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// What may be deleted; `None` disables a criterion.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// Runs that ended before this time, with their history, and events received before it that have no run left.
    pub before: Option<DateTime<Utc>>,
    /// Finished runs beyond this number, the oldest first.
    pub most_runs: Option<u64>,
    /// Dedup keys of events received before this time. An event reported again later counts as new.
    pub dedup_before: Option<DateTime<Utc>>,
}

/// The number of deleted items.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Runs, with their history.
    pub runs: usize,
    /// Events.
    pub events: usize,
    /// Dedup keys.
    pub dedup_keys: usize,
}

/// What is stored, and its size.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StoreInfo {
    /// `sqlite` or `postgres`.
    pub kind: &'static str,
    /// Location, without credentials.
    pub place: String,
    /// Number of its format.
    pub format: i64,
    /// Size on disk.
    pub bytes: u64,
    /// Events and runs.
    #[serde(flatten)]
    pub totals: Totals,
    /// When the oldest event was received; `None` without events.
    pub oldest: Option<DateTime<Utc>>,
    /// Pollers with a cursor.
    pub cursors: u64,
    /// Links.
    pub links: u64,
}

/// The text of a recipe in one version, so that a run can finish with the recipe it started with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipeText {
    /// The recipe's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its file, for messages.
    pub file: String,
    /// The text.
    pub text: String,
}

impl RecipeText {
    /// The text of a checked recipe.
    pub fn from_recipe(recipe: &CheckedRecipe) -> Self {
        let file = &recipe.recipe().file;
        Self {
            name: recipe.name().to_owned(),
            version: recipe.version().to_owned(),
            file: file.name().to_owned(),
            text: recipe.recipe().text().to_owned(),
        }
    }

    /// Parses the text without checking it: the connections and operations it names may no longer exist.
    pub fn recipe(&self) -> Option<Recipe> {
        parse(&SourceFile::new(self.file.as_str(), self.text.as_str())).recipe
    }
}

/// What became of a link that was to be saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkWrite {
    /// It is stored, now or since before.
    Saved,
    /// Nothing was stored: these links of the name have one of its ends.
    Taken(Vec<Link>),
}

/// An association of two records, such as a FITR client and a HighLevel contact.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Link {
    /// The kind of link, such as `client-contact`.
    pub name: String,
    /// One end.
    pub from: String,
    /// The other end.
    pub to: String,
}
