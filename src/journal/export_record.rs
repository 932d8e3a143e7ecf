//! The content of a store in a form that any store can import: one record per line of an export.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::encoding::{WOKEN, time};
use super::{LinkBase, OperatorAct, RecipeText, StoredAlert};
use crate::event::{Cursor, CursorKey, Event};
use crate::run::{Run, RunState, StampedEntry, Unsettled, Write};

/// A part of a store. Exported and imported in the order of [`Part::ALL`], so that events precede their runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Events.
    Events,
    /// Runs with their history, oldest first.
    Runs,
    /// Dedup keys, which are kept longer than their events.
    Receipts,
    /// Pollers' progress.
    Cursors,
    /// Records that pollers have seen.
    Seen,
    /// Recipe texts that runs started with.
    Recipes,
    /// Links.
    Links,
    /// Values of `state.put`.
    Values,
    /// Writes of pruned runs.
    Writes,
    /// What operators did.
    Acts,
    /// Alerts, so that nobody is told twice.
    Alerts,
}

impl Part {
    /// All parts, in the order of export and import.
    pub const ALL: [Part; 11] = [
        Part::Events,
        Part::Runs,
        Part::Receipts,
        Part::Cursors,
        Part::Seen,
        Part::Recipes,
        Part::Links,
        Part::Values,
        Part::Writes,
        Part::Acts,
        Part::Alerts,
    ];
}

/// Records of one part.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// In order.
    pub records: Vec<Record>,
    /// Cursor of the next page; `None` on the last one.
    pub next: Option<String>,
}

/// A stored item: one line of `hob store export`. Variants may be added but never changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// An event.
    Event(Event),
    /// A run with its history.
    Run {
        /// The run.
        run: Run,
        /// Its state. A leased run is exported as waiting and due now.
        state: RunState,
        /// The record it is about.
        about: Option<String>,
        /// When it ended; `None` for a failed run that still holds its lane.
        finished: Option<DateTime<Utc>>,
        /// Why it is in this state.
        error: Option<String>,
        /// When it may be leased.
        due: Due,
        /// Its history.
        entries: Vec<StampedEntry>,
        /// Its writes and their times.
        writes: Vec<(DateTime<Utc>, Write)>,
        /// Its creates with an unknown outcome.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        unsettled: Vec<Unsettled>,
    },
    /// A dedup key.
    Receipt {
        /// The first 16 bytes of the SHA-256 hash of source and key, in hexadecimal.
        key: String,
        /// When its event was received.
        received: DateTime<Utc>,
    },
    /// A poller's progress.
    Cursor(Cursor),
    /// A record that a poller has seen.
    Seen {
        /// The poller's cursor.
        cursor: CursorKey,
        /// The record's id.
        id: String,
        /// Hash of its content, or its updated field.
        fingerprint: String,
        /// The scan that saw it last.
        scan: u64,
    },
    /// The text of a recipe.
    Recipe(RecipeText),
    /// A link.
    Link {
        /// The kind of link.
        name: String,
        /// One end.
        from: String,
        /// The other end.
        to: String,
        /// What both records had when they were last made equal.
        #[serde(default, skip_serializing_if = "LinkBase::is_empty")]
        base: LinkBase,
    },
    /// A value of `state.put`.
    Value {
        /// Its key.
        key: String,
        /// The value.
        value: Value,
    },
    /// A write of a pruned run.
    Written {
        /// When it was written.
        at: DateTime<Utc>,
        /// The write and its origin.
        write: Write,
    },
    /// Something that an operator did.
    Act(OperatorAct),
    /// An alert.
    Alert(StoredAlert),
}

/// When a run may be leased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Due {
    /// Never by itself: it has ended, waits for a person, or is not the head of its lane.
    Never,
    /// Now.
    Now,
    /// At this time.
    At(DateTime<Utc>),
}

impl Due {
    /// Decodes the column `due`.
    pub(super) fn from_column(due: Option<i64>) -> Self {
        match due {
            None => Due::Never,
            Some(due) if due <= WOKEN => Due::Now,
            Some(at) => Due::At(time(at)),
        }
    }
}
