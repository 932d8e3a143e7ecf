//! Events and their identity.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::kind::EventKind;
use super::source::Source;

/// Something that happened, stored durably. Repeated reports are one event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Identity; sorts by time of receipt.
    pub id: EventId,
    /// Who reported it; `dedup` is unique within a source.
    pub source: Source,
    /// The kind: the webhook's event type, or `new`, `changed`, `removed`, `unreadable`, `schedule`, `manual`.
    pub kind: EventKind,
    /// The connection it came through, if any.
    pub connection: Option<String>,
    /// Id of its record, if any.
    pub record: Option<String>,
    /// Its deduplication key within the source.
    pub dedup: DedupKey,
    /// When hob received it.
    pub received: DateTime<Utc>,
    /// The value of `event` in recipes: the webhook's body or the poller's item.
    pub payload: Value,
}

/// Kind of an event for a polled record that cannot be read. Its payload contains the record and, under [`REASON`],
/// the problem; its run fails with it.
pub const UNREADABLE: &str = "unreadable";
/// Key in the payload of why a record cannot be read.
pub const REASON: &str = "reason";

impl Event {
    /// Why the event's record cannot be read, if so.
    pub fn unreadable(&self) -> Option<&str> {
        let of_poller = self.source.is_list() && self.kind == UNREADABLE;
        self.payload.get(REASON).and_then(Value::as_str).filter(|_| of_poller)
    }
}

/// Identity of an event.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(pub String);

impl EventId {
    /// A new id; ids sort by creation.
    pub fn new() -> Self {
        Self(format!("evt_{}", Uuid::now_v7().simple()))
    }
}

impl Default for EventId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The deduplication key of an event within its source.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DedupKey(pub String);

impl DedupKey {
    /// The key of a body without an id: a hash of its bytes.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        use sha2::{Digest, Sha256};
        Self(format!("sha256:{}", hex::encode(Sha256::digest(bytes))))
    }

    /// The key of an unverified event, so that it cannot pre-empt a verified one.
    pub fn anonymous(self) -> Self {
        Self(format!("anonymous:{}", self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time() {
        let (first, second) = (EventId::new(), EventId::new());
        assert!(first < second);
        assert_ne!(DedupKey::from_bytes(b"a"), DedupKey::from_bytes(b"b"));
    }
}
