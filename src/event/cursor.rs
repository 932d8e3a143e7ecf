//! How far a poller has read.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Identity of a cursor: the recipe's name and the accounts it runs on. Neither editing nor moving
/// the file changes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CursorKey(pub String);

impl CursorKey {
    /// The cursor of `recipe` on the connections `accounts`.
    pub fn new(recipe: &str, accounts: &[String]) -> Self {
        Self(format!("{recipe}@{}", accounts.join("+")))
    }

    /// Whether it is a cursor of `recipe`.
    pub fn is_of(&self, recipe: &str) -> bool {
        self.0.strip_prefix(recipe).is_some_and(|rest| rest.starts_with('@'))
    }

    /// The recipe.
    pub fn recipe(&self) -> &str {
        self.0.rsplit_once('@').map_or(&self.0, |(recipe, _)| recipe)
    }

    /// The connections, with `+` between them.
    pub fn accounts(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, accounts)| accounts)
    }
}

impl fmt::Display for CursorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A poller's progress. Saved in one transaction with the events of the page it describes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    /// Identity.
    pub key: CursorKey,
    /// What it reads: operation and inputs, so that a recipe that reads something else starts anew.
    pub subject: String,
    /// Number of the scan in progress or, between scans, of the last one; counts from 1.
    pub scan: u64,
    /// Where the scan in progress goes on; `None` between scans.
    pub page: Option<ScanPosition>,
    /// Pages read in the scan in progress.
    pub pages: u64,
    /// The first scan has ended: from now on what was never seen is new.
    pub baseline_done: bool,
    /// Up to when changes are known after the completed scans, and since when by our clock:
    /// `{ time, at }`; the time alone, as a text, in cursors of earlier versions.
    pub watermark: Option<Value>,
    /// The newest change seen in the scan in progress, likewise.
    pub newest: Option<Value>,
    /// Up to where a list that comes newest first need not be read again.
    #[serde(default, skip_serializing_if = "is_default")]
    pub settled: Settled,
    /// A poll may read a list more than once.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pass: Pass,
    /// When the scan in progress, or the last one, began.
    pub started: DateTime<Utc>,
    /// When to scan again.
    pub due: DateTime<Utc>,
    /// Consecutive failures, and what the last one was.
    pub failures: u32,
    /// The last failure, for people.
    pub error: Option<String>,
    /// The last poll did not come about, because its connection is held: the next one is due as soon as that is
    /// over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
    /// How its polls went lately.
    #[serde(default)]
    pub health: Health,
}

/// Where a scan goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ScanPosition {
    /// All pages are read; the records that are gone come next.
    Removed {
        /// Those after this record.
        #[serde(rename = "$gone_after", deserialize_with = "Option::deserialize")]
        after: Option<String>,
    },
    /// At the page that is asked for with these inputs.
    Page(Map<String, Value>),
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Up to where a list that comes newest first need not be read again. Times are by the API's clock, unless
/// it is said otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settled {
    /// All changes up to here are known, those included that the list showed late.
    pub until: Option<DateTime<Utc>>,
    /// What `until` becomes with the next scan that reads so far, where between numbered pages a
    /// record may have slipped through this one.
    pub next: Option<DateTime<Utc>>,
    /// By our clock: until then a scan may stop at the first page that holds nothing unknown. Afterwards,
    /// or without it, one reads all the way down to `until`.
    pub again: Option<DateTime<Utc>>,
    /// How long the list said to be after the last scan.
    pub total: Option<u64>,
    /// Records that were made before were there when the recipe began.
    pub baseline: Option<DateTime<Utc>>,
    /// Records of the list have no time, so that it is read to its end.
    pub undated: bool,
}

/// One reading of a list, of those that make up a poll.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pass {
    /// Readings of this poll that have ended.
    pub ended: u32,
    /// Pages of this reading that hold records.
    pub filled: u64,
    /// Records that were not known before this reading met them.
    pub fresh: u64,
    /// Known records that the first reading did not meet.
    pub missing: u64,
}

/// How the polls of a cursor went lately, for people.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Health {
    /// The connection that it reads.
    pub connection: Option<String>,
    /// When a poll last came to its end.
    pub succeeded: Option<DateTime<Utc>>,
    /// Since when one poll after the other fails.
    pub failing_since: Option<DateTime<Utc>>,
    /// Why the poll under way waits, though nothing is wrong.
    pub waits: Option<String>,
}

impl Health {
    /// A poll has come to its end.
    pub fn succeeded(&mut self, now: DateTime<Utc>) {
        (self.succeeded, self.failing_since, self.waits) = (Some(now), None, None);
    }

    /// A poll has failed.
    pub fn failed(&mut self, now: DateTime<Utc>) {
        self.failing_since.get_or_insert(now);
        self.waits = None;
    }
}

/// What a poller remembers of a record between scans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The record's id.
    pub record: String,
    /// Hash of its content, or its updated field.
    pub fingerprint: String,
}
