//! One thing that happened, and what it is known by.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::kind::EventKind;
use super::source::Source;

/// One thing that happened, once it is durable. The same thing reported twice is one event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Identity; sorts by time of receipt.
    pub id: EventId,
    /// Who reported it, which is the space in which `dedup` is unique.
    pub source: Source,
    /// What kind of thing: the webhook's event type, or `new`, `changed`, `removed`, `unreadable`,
    /// `schedule`, `manual`.
    pub kind: EventKind,
    /// Connection it came through, where there is one.
    pub connection: Option<String>,
    /// Id of the record it is about, where it is about one.
    pub record: Option<String>,
    /// What makes it this event and no other, within its source.
    pub dedup: DedupKey,
    /// When hob took it.
    pub received: DateTime<Utc>,
    /// What recipes see as `event`: the webhook's body, or the poller's item.
    pub payload: Value,
}

/// Kind of an event that is a poller's record which cannot be read. Its payload holds the record and
/// under [`REASON`] what is wrong with it; its run fails with that.
pub const UNREADABLE: &str = "unreadable";
/// What is wrong with a record that cannot be read, in the payload of its event.
pub const REASON: &str = "reason";

impl Event {
    /// Why the record that the event is about cannot be read.
    pub fn unreadable(&self) -> Option<&str> {
        let of_poller = matches!(self.source, Source::Poll(_)) && self.kind == UNREADABLE;
        self.payload.get(REASON).and_then(Value::as_str).filter(|_| of_poller)
    }
}

/// Identity of an event.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(pub String);

impl EventId {
    /// A new one; later ones sort after earlier ones.
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

/// What makes an event this one and no other, within its source.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DedupKey(pub String);

impl DedupKey {
    /// The key of a body that carries no id of its own: a hash of its bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        use sha2::{Digest, Sha256};
        Self(format!("sha256:{}", hex::encode(Sha256::digest(bytes))))
    }

    /// The key of an event that nobody proved anything for: it never makes a repeat of one that somebody did.
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
        assert_ne!(DedupKey::of_bytes(b"a"), DedupKey::of_bytes(b"b"));
    }
}
