//! What happened outside, and how far hob has read: events, dedup keys and cursors.

mod cursor;
mod kind;
mod model;
mod source;
mod within;

pub use cursor::{
    Cursor, CursorKey, Health, MovedRecords, OverParents, Pace, Pass, PassSummary, ScanPosition, Seen,
    Settled, WithheldRemovals,
};
pub use kind::EventKind;
pub use model::{DedupKey, Event, EventId, REASON, UNREADABLE};
pub use source::{Priority, Source};
pub use within::{apart, within};
