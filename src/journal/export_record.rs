//! What a store holds, in a form that any store can take: one record per line of an export.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::RecipeText;
use super::encoding::{TIMES, time};
use crate::event::{Cursor, CursorKey, Event};
use crate::run::{Run, RunState, StampedEntry, Unsettled, Write};

/// A part of a store. They are taken in the order of [`Part::ALL`], so that a run comes after its event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Events.
    Events,
    /// Runs, with their history; in the order of arrival.
    Runs,
    /// Dedup keys, which outlive their events.
    Receipts,
    /// Pollers' progress.
    Cursors,
    /// Records that pollers have seen.
    Seen,
    /// Texts of recipes that runs began with.
    Recipes,
    /// Links.
    Links,
    /// Remembered values.
    Values,
    /// What runs wrote that are forgotten.
    Writes,
}

impl Part {
    /// All parts, in the order in which they can be imported.
    pub const ALL: [Part; 9] = [
        Part::Events,
        Part::Runs,
        Part::Receipts,
        Part::Cursors,
        Part::Seen,
        Part::Recipes,
        Part::Links,
        Part::Values,
        Part::Writes,
    ];
}

/// Records of one part, and where the next ones begin.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// In order.
    pub records: Vec<Record>,
    /// What to ask for the next page with; `None` after the last one.
    pub next: Option<String>,
}

/// One thing that is stored. The form of the lines of `hob store export`: a variant is never changed,
/// only joined by a new one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// An event.
    Event(Event),
    /// A run with its history.
    Run {
        /// The run.
        run: Run,
        /// Where it stands. One that was being worked on waits, and goes on at once.
        state: RunState,
        /// The record it is about.
        about: Option<String>,
        /// When it ended; a failed one that still holds its lane has not ended.
        finished: Option<DateTime<Utc>>,
        /// Why it is where it is.
        error: Option<String>,
        /// When it may go on.
        due: Due,
        /// Its history.
        entries: Vec<StampedEntry>,
        /// What it wrote, record by record, and when.
        writes: Vec<(DateTime<Utc>, Write)>,
        /// Its creates of which nothing is known yet.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        unsettled: Vec<Unsettled>,
    },
    /// A dedup key that was seen.
    Receipt {
        /// The first 16 bytes of a SHA-256 hash of source and key, in hexadecimal digits.
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
        /// Which kind of link.
        name: String,
        /// One end.
        from: String,
        /// The other end.
        to: String,
    },
    /// A remembered value.
    Value {
        /// Its key.
        key: String,
        /// The value.
        value: Value,
    },
    /// What a run wrote that is forgotten.
    Written {
        /// When.
        at: DateTime<Utc>,
        /// What, and where it came from.
        write: Write,
    },
}

/// When a run may be leased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Due {
    /// Not by itself: it has ended, waits for a person, or stands behind another one of its lane.
    Never,
    /// At once.
    Now,
    /// From this time on.
    At(DateTime<Utc>),
}

impl Due {
    /// From the column of that name.
    pub(super) fn of(due: Option<i64>) -> Self {
        match due {
            None => Due::Never,
            Some(priority) if priority < TIMES => Due::Now,
            Some(at) => Due::At(time(at)),
        }
    }
}
