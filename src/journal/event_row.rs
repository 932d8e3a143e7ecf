//! Events and runs as rows, encoded by the caller to keep work off the writer.

use chrono::{DateTime, Utc};

use crate::event::{DedupKey, Event, Priority, Source};
use crate::run::{Entry, StampedEntry};

use super::NewRun;
use super::encoding::{receipt, stamp, until};
use super::format::{EntryError, write_entry};

/// An event as a row.
pub(super) struct EventRow {
    pub(super) id: String,
    /// JSON.
    pub(super) source: String,
    pub(super) kind: String,
    pub(super) connection: Option<String>,
    pub(super) record: Option<String>,
    pub(super) dedup: String,
    /// The deduplication key.
    pub(super) key: [u8; 16],
    pub(super) received: i64,
    /// JSON.
    pub(super) payload: String,
    /// The priority of its runs; lower numbers are leased first.
    pub(super) priority: i32,
}

/// A run as a row.
pub(super) struct RunRow {
    pub(super) id: String,
    pub(super) recipe: String,
    pub(super) lane: String,
    /// JSON.
    pub(super) accounts: String,
    /// Set if it waits for later events about its record.
    pub(super) window: Option<Window>,
}

/// The time in which a run waits for later events about its record.
pub(super) struct Window {
    /// When it ends, unless an earlier run's window is still open.
    pub(super) until: i64,
    /// The entry of an earlier run that is left to this one. JSON.
    pub(super) entry: String,
    /// Why that one ended.
    pub(super) reason: String,
}

impl EventRow {
    pub(super) fn new(event: Event) -> serde_json::Result<Self> {
        let source = serde_json::to_string(&event.source)?;
        Ok(Self {
            priority: priority(&event.source),
            id: event.id.0,
            key: receipt(&source, &event.dedup.0),
            source,
            kind: event.kind.to_string(),
            connection: event.connection,
            record: event.record,
            dedup: event.dedup.0,
            received: stamp(event.received),
            payload: serde_json::to_string(&event.payload)?,
        })
    }
}

impl RunRow {
    /// The row of a run of an event received at `received`.
    pub(super) fn new(run: NewRun, received: DateTime<Utc>) -> Result<Self, EntryError> {
        let window = run.coalesce.map(|coalesce| {
            let entry = write_entry(&StampedEntry::new(received, Entry::Coalesced { into: run.id.clone() }))?;
            let reason = Entry::coalesced_reason(&run.id);
            Ok::<_, EntryError>(Window { until: until(received, coalesce), entry, reason })
        });
        Ok(Self {
            window: window.transpose()?,
            accounts: serde_json::to_string(&run.accounts)?,
            id: run.id.0,
            recipe: run.recipe,
            lane: run.lane,
        })
    }
}

/// The deduplication key of an event.
pub(super) fn event_receipt(source: &Source, dedup: &DedupKey) -> serde_json::Result<[u8; 16]> {
    Ok(receipt(&serde_json::to_string(source)?, &dedup.0))
}

/// The priority of runs of an event of `source`; lower numbers are leased first.
pub(super) fn priority(source: &Source) -> i32 {
    rank(source.priority()) as i32
}

/// A priority as it is stored, which is its place in [`Priority::ALL`].
pub(super) fn rank(priority: Priority) -> usize {
    match priority {
        Priority::Webhook => 0,
        Priority::Poll => 1,
        Priority::Backfill => 2,
    }
}
