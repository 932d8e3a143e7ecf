//! How far a poller has read.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Identity of a cursor: recipe name and accounts. Independent of edits and moves of the file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CursorKey(pub String);

/// The end of the keys of backfills.
const BACKFILL: &str = "#backfill";
/// The end of the keys of lists of parents.
const PARENTS: &str = "#parents";

impl CursorKey {
    /// The cursor of `recipe` for the connections `accounts`.
    pub fn new(recipe: &str, accounts: &[String]) -> Self {
        Self(format!("{recipe}@{}", accounts.join("+")))
    }

    /// The cursor of one of several lists for the same recipe and connections.
    pub fn of_list(&self, operation: &str) -> Self {
        Self(format!("{self}#{operation}"))
    }

    /// The cursor of a backfill for the same recipe and connections.
    pub fn of_backfill(&self) -> Self {
        Self(format!("{self}{BACKFILL}"))
    }

    /// The cursor of the list of parents, for the list that is read for each of them.
    pub fn of_parents(&self) -> Self {
        Self(format!("{self}{PARENTS}"))
    }

    /// Whether it is the cursor of a backfill, or of the parents of a list, and not that of a poll of its own.
    pub fn is_secondary(&self) -> bool {
        self.0.ends_with(BACKFILL) || self.0.ends_with(PARENTS)
    }

    /// Whether it belongs to `recipe`.
    pub fn belongs_to(&self, recipe: &str) -> bool {
        self.0.strip_prefix(recipe).is_some_and(|rest| rest.starts_with('@'))
    }

    /// The recipe.
    pub fn recipe(&self) -> &str {
        self.0.rsplit_once('@').map_or(&self.0, |(recipe, _)| recipe)
    }

    /// The connections, joined by `+`.
    pub fn accounts(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, accounts)| accounts)
    }
}

impl fmt::Display for CursorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A poller's progress. Stored in one transaction with the events of the page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    /// Identity.
    pub key: CursorKey,
    /// Operation and inputs; if they change, the poller starts over.
    pub subject: String,
    /// Number of the scan in progress or, between scans, of the last one; counts from 1.
    pub scan: u64,
    /// Where the scan in progress continues; `None` between scans.
    pub page: Option<ScanPosition>,
    /// Pages read in the scan in progress.
    pub pages: u64,
    /// Whether the first scan has ended: from then on, unseen records are new.
    pub baseline_done: bool,
    /// The time up to which changes are known after the completed scans, and the time by our clock: `{ time, at }`,
    /// or only the time as text in cursors of earlier versions.
    pub watermark: Option<Value>,
    /// The newest change seen in the scan in progress, in the same form.
    pub newest: Option<Value>,
    /// Up to where a sorted list need not be read again.
    #[serde(default, skip_serializing_if = "is_default")]
    pub settled: Settled,
    /// State of repeated readings in one poll.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pass: Pass,
    /// Of a list that is read for each parent: how far it has come with them.
    #[serde(default, skip_serializing_if = "is_default")]
    pub over: Box<OverParents>,
    /// When the current or last scan started.
    pub started: DateTime<Utc>,
    /// When to scan again.
    pub due: DateTime<Utc>,
    /// Consecutive failures.
    pub failures: u32,
    /// The last failure, for people.
    pub error: Option<String>,
    /// The last poll was skipped because its connection is held: the next one is due when the hold ends.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
    /// The removals that the last complete scan did not report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<Box<WithheldRemovals>>,
    /// Of a list for a window of time: records that its last polls found to be there although it shows them no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<Box<MovedRecords>>,
    /// The recent health of its polls.
    #[serde(default)]
    pub health: Health,
    /// How often it polls, if its interval adapts or is longer because little is left of the budget.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pace: Pace,
}

impl Cursor {
    /// Number of the first of the repeated readings that the current or last scan belongs to.
    pub fn first_scan(&self) -> u64 {
        self.scan.saturating_sub(u64::from(self.pass.ended))
    }
}

/// How often a poll polls at present.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pace {
    /// Polls in a row that found nothing.
    pub quiet: u32,
    /// The interval in milliseconds; absent if it is the recipe's.
    pub interval_ms: Option<u64>,
    /// It is longer because little is left of the budget.
    pub spares_budget: bool,
}

/// Where a scan continues.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ScanPosition {
    /// All pages are read; removed records are next.
    Removed {
        /// After this record.
        #[serde(rename = "$gone_after", deserialize_with = "Option::deserialize")]
        after: Option<String>,
    },
    /// With the page requested by these inputs.
    Page(Map<String, Value>),
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Up to where a list sorted newest first need not be read again. Times are by the API's clock unless stated
/// otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settled {
    /// All changes up to here are known, including late ones.
    pub until: Option<DateTime<Utc>>,
    /// The value of `until` after the next scan that reads this far, because a record may have slipped between
    /// numbered pages in this one.
    pub next: Option<DateTime<Utc>>,
    /// By our clock: until then, a scan may stop at the first page of known records. Afterwards, or if missing, a
    /// scan reads down to `until`.
    pub again: Option<DateTime<Utc>>,
    /// The stated length of the list after the last scan.
    pub total: Option<u64>,
    /// Records created before this time existed when the recipe started.
    pub baseline: Option<DateTime<Utc>>,
    /// Records of the list have no times, so it is read to its end.
    pub undated: bool,
}

/// One reading of a list within a poll.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pass {
    /// Completed readings of this poll.
    pub ended: u32,
    /// Non-empty pages of this reading.
    pub filled: u64,
    /// Records that were unknown before this reading.
    pub fresh: u64,
    /// Known records that the first reading did not find.
    pub missing: u64,
    /// Set once it is decided which missing records are removed: those last seen before this scan.
    pub removed_before: Option<u64>,
}

/// How far a pass over the parents of a list has come. The list of the parents has a cursor of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OverParents {
    /// The first scan of the list of parents that belongs to this pass; `None` before it.
    pub scan: Option<u64>,
    /// All parents are asked in this pass, not only those that changed.
    pub complete: bool,
    /// The parent whose list is being read, with its fingerprint.
    pub parent: Option<(String, String)>,
    /// The parents on the current page of their list that are done, each with its fingerprint.
    pub done: Vec<(String, String)>,
    /// The most pages with records that one list had in this pass.
    pub filled: u64,
    /// Some records could not be reached in this pass, so that none counts as removed.
    pub partial: bool,
    /// Parents whose lists were read in this pass.
    pub asked: u64,
    /// Parents whose lists could not be read in this pass, and why the last one could not.
    pub skipped: u64,
    /// The reason of the last one, for people.
    pub reason: Option<String>,
    /// Requests of this pass.
    pub requests: u64,
    /// When all parents were last asked.
    pub completed: Option<DateTime<Utc>>,
    /// Requests of the last finished pass that asked all parents.
    pub whole: Option<u64>,
    /// What the last finished pass came to.
    pub last: Option<PassSummary>,
}

/// What a pass over parents came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PassSummary {
    /// All parents were asked.
    pub complete: bool,
    /// Parents whose lists were read.
    pub asked: u64,
    /// Parents whose lists could not be read.
    pub skipped: u64,
    /// Why the last of them could not.
    pub reason: Option<String>,
}

impl OverParents {
    /// The state before the next pass.
    pub fn next_pass(&self) -> Box<Self> {
        Box::new(Self {
            completed: self.completed,
            whole: self.whole,
            last: self.last.clone(),
            ..Self::default()
        })
    }
}

/// Removals that are not reported because too many records were gone at once: the answers may be faulty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithheldRemovals {
    /// Number of records that are missing.
    pub missing: u64,
    /// Number of records that are known, including those.
    pub known: u64,
    /// The missing records were last seen before this scan.
    pub before: u64,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Why they are withheld, for people.
    pub reason: String,
}

/// Records that a scan has found to be there although the list shows them no more: they were moved, not removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedRecords {
    /// Number of the scan.
    pub scan: u64,
    /// Number of records.
    pub count: u64,
    /// The last one.
    pub record: String,
    /// When it was found.
    pub at: DateTime<Utc>,
}

/// The recent health of a cursor's polls, for people.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Health {
    /// The connection that it reads.
    pub connection: Option<String>,
    /// When a poll last completed.
    pub succeeded: Option<DateTime<Utc>>,
    /// Since when all polls have failed.
    pub failing_since: Option<DateTime<Utc>>,
    /// Why the current poll waits, if not because of an error.
    pub waits: Option<String>,
}

impl Health {
    /// Records that a poll completed.
    pub fn succeeded(&mut self, now: DateTime<Utc>) {
        (self.succeeded, self.failing_since, self.waits) = (Some(now), None, None);
    }

    /// Records that a poll failed.
    pub fn failed(&mut self, now: DateTime<Utc>) {
        self.failing_since.get_or_insert(now);
        self.waits = None;
    }
}

/// What a poller stores about a record between scans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The record's id.
    pub record: String,
    /// Hash of its content, or its updated field.
    pub fingerprint: String,
}
