//! An alert: one cause from its beginning to its end, and who is told of it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::about::About;
use crate::workspace::AlertKind;

/// Bytes of the id of a delivery.
const ID_BYTES: usize = 12;

/// An alert. This is stored: later versions must read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Its kind.
    pub kind: AlertKind,
    /// Its id; that of the cause, if it is about runs.
    pub id: String,
    /// What it is about.
    pub about: About,
    /// The most runs that were seen at once; 0 if it is not about runs.
    #[serde(default)]
    pub runs: u64,
    /// When it was opened.
    pub opened: DateTime<Utc>,
    /// Since when its cause is gone, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone: Option<DateTime<Utc>>,
    /// When the last of its runs failed, for failed runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<DateTime<Utc>>,
    /// Its end, if it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<End>,
    /// When each destination was last told.
    #[serde(default)]
    pub told: BTreeMap<String, DateTime<Utc>>,
    /// What is still to be told.
    #[serde(default)]
    pub deliveries: Vec<Delivery>,
}

impl Alert {
    /// Whether its cause goes on.
    pub fn is_open(&self) -> bool {
        self.ended.is_none()
    }
}

/// The end of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: EndReason,
    /// Runs that are still failed.
    pub left: u64,
}

/// Why an alert ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Its cause is gone.
    Gone,
    /// No further run has failed for a while.
    NoNewRuns,
}

/// What a message tells of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// It was opened.
    Opened,
    /// It is still open.
    Reminder,
    /// It has ended.
    Recovered,
    /// A test.
    Test,
}

impl Told {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Reminder => "reminder",
            Self::Recovered => "recovered",
            Self::Test => "test",
        }
    }
}

/// Something to be told to a destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The destination.
    pub to: String,
    /// What is told.
    pub what: Told,
    /// Its id, the same in each attempt.
    pub id: String,
    /// When it was decided.
    pub decided: DateTime<Utc>,
    /// When it is to be tried.
    pub due: DateTime<Utc>,
    /// Attempts that failed.
    #[serde(default)]
    pub attempts: u32,
    /// Why the last one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Since when attempts fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<DateTime<Utc>>,
}

impl Delivery {
    /// One that is decided now.
    pub(super) fn new(key: &str, to: &str, what: Told, now: DateTime<Utc>) -> Self {
        let hash = Sha256::new()
            .chain_update(key)
            .chain_update([0])
            .chain_update(to)
            .chain_update([0])
            .chain_update(what.name())
            .chain_update(now.to_rfc3339())
            .finalize();
        let id = hex::encode(&hash[..ID_BYTES]);
        Self {
            to: to.to_owned(),
            what,
            id,
            decided: now,
            due: now,
            attempts: 0,
            error: None,
            failing_since: None,
        }
    }
}
