//! The entries of a run's history. They are stored as JSON and must stay readable: variants may be added but never
//! changed.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::difference::Difference;
use super::{RunId, RunState};
use crate::secret::{REDACTED, Secret};
use crate::template::LinkQuery;

/// The key in entries. Not a valid action id.
const START: &str = "(start)";
const HYDRATE: &str = "(hydrate)";

/// A step of a run: the action's id and, in a `for_each`, the index of the item.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StepKey {
    /// The action's id.
    pub action: String,
    /// Index of the item, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<usize>,
}

impl StepKey {
    /// The step of an action without `for_each`.
    pub fn new(action: impl Into<String>) -> Self {
        Self { action: action.into(), item: None }
    }
}

impl StepKey {
    /// The key for everything before the first step: condition, lane and variables.
    pub fn start() -> Self {
        Self::new(START)
    }

    /// Whether it is the key for everything before the first step.
    pub fn is_start(&self) -> bool {
        self.action == START
    }

    /// The step that fetches the whole record of a thin event.
    pub fn hydrate() -> Self {
        Self::new(HYDRATE)
    }

    /// Whether it is the step that fetches the whole record of a thin event.
    pub fn is_hydrate(&self) -> bool {
        self.action == HYDRATE
    }
}

impl fmt::Display for StepKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.item {
            Some(item) => write!(f, "{}[{item}]", self.action),
            None => f.write_str(&self.action),
        }
    }
}

/// How hob learned the outcome of an attempt with a lost answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KnownBy {
    /// A probe found it.
    Probe,
    /// A person said so.
    Person,
    /// The record is not there: a removal was repeated, or the recipe goes on without it (`on_missing`).
    Gone,
}

impl fmt::Display for KnownBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Probe => "probe",
            Self::Person => "person",
            Self::Gone => "gone",
        })
    }
}

/// Why a step failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepError {
    /// The message; contains no secrets.
    pub message: String,
    /// HTTP status, if there was an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The remedy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The place in the recipe, with a caret, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
}

impl StepError {
    /// An error with a message only.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), status: None, help: None, excerpt: None }
    }
}

/// What a step waits for that was not sent, or was sent back for the rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitKind {
    /// The connection's budget of requests.
    Budget,
    /// The connection's circuit breaker.
    Breaker,
    /// The API: it said to come back later.
    Api,
}

/// A run in a chain of runs in which each was started by a write of the previous one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainLink {
    /// The run.
    pub run: RunId,
    /// Its recipe.
    pub recipe: String,
    /// The record of its event.
    pub record: String,
    /// When it wrote.
    pub at: DateTime<Utc>,
}

/// A link that a template asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundLink {
    /// What it asked for.
    #[serde(flatten)]
    pub query: LinkQuery,
    /// The other end; `None` if there is no such link.
    pub found: Option<String>,
}

/// An entry of a run's history. Texts for people contain no secrets; data is unchanged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// `when` was true; these are the recipe's variables.
    Started {
        /// Version of the recipe.
        version: String,
        /// Values of `vars`.
        vars: Map<String, Value>,
    },
    /// A step's `if` was false, or its `for_each` empty.
    StepSkipped {
        /// The step.
        step: StepKey,
        /// Why.
        reason: String,
    },
    /// The request is about to be sent. Stored before any request with an effect.
    Intent {
        /// The step.
        step: StepKey,
        /// Number of the attempt, from 1.
        attempt: u32,
        /// Operation id.
        operation: String,
        /// Inputs as sent.
        inputs: Value,
    },
    /// The step succeeded and is never repeated.
    StepSucceeded {
        /// The step.
        step: StepKey,
        /// Number of the attempt.
        attempt: u32,
        /// The result for later steps.
        result: Arc<Value>,
        /// How hob knows, if not by an answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        known_by: Option<KnownBy>,
        /// The result was too large to store and nothing reads it: `result` only says so.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        truncated: bool,
    },
    /// The attempt failed; with `retry_at` another one follows.
    StepFailed {
        /// The step.
        step: StepKey,
        /// Number of the attempt.
        attempt: u32,
        /// Why.
        error: StepError,
        /// When to retry.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_at: Option<DateTime<Utc>>,
        /// The request may have been carried out: only its answer is missing.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        lost: bool,
        /// What a read asked for, if it is not tried again. Writes have it in their intent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        read: Option<Value>,
    },
    /// Not sent, or rejected for the rate limit; does not count as an attempt.
    Deferred {
        /// The step.
        step: StepKey,
        /// When to continue.
        until: DateTime<Utc>,
        /// Why.
        reason: String,
        /// Its connection is held: the run continues when it is leased, which may be before `until`.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        held: bool,
        /// What it waits for, where that is known; missing in histories of older versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kind: Option<WaitKind>,
    },
    /// Sent, answer unknown.
    InDoubt {
        /// The step.
        step: StepKey,
        /// Number of the attempt.
        attempt: u32,
        /// What is known.
        reason: String,
        /// HTTP status, if there was an answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// hob was interrupted, which says nothing about the server.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        interrupted: bool,
        /// The existing record that the API rejected the request for, after an earlier answer was lost.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        existing: Option<String>,
    },
    /// A probe or a person found that the attempt was not carried out; it may be sent again.
    DidNotHappen {
        /// The step.
        step: StepKey,
        /// Number of the attempt.
        attempt: u32,
        /// How hob knows.
        known_by: KnownBy,
    },
    /// A `wait` started.
    WaitStarted {
        /// The step.
        step: StepKey,
        /// When it ends.
        until: DateTime<Utc>,
        /// `until` is a wall-clock time set in the recipe, so it is not adjusted when the clock is set.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        by_wall: bool,
    },
    /// The run waits for a person.
    Parked {
        /// The step in doubt.
        step: StepKey,
        /// What is known.
        reason: String,
    },
    /// A person retried the run from the failed step.
    Resumed {
        /// The step from which the run continues; failed steps are open again.
        from: StepKey,
    },
    /// A person restarted the run from the beginning.
    Restarted {},
    /// The run goes on from its first step, as its recipe says where a step is tried again (`retry: { from: start }`):
    /// what these steps came to is forgotten.
    BegunAgain {
        /// The steps.
        steps: Vec<StepKey>,
    },
    /// The list read by the step has, or may have, more records than its result, which follows.
    MoreRecords {
        /// The step.
        step: StepKey,
        /// What is known, and the remedy.
        message: String,
    },
    /// Parts of the step's result, which follows, are unknown because an answer was lost.
    UnknownFields {
        /// The step.
        step: StepKey,
        /// Places in the result, such as `new` and `[].tagsAdded`; empty for all of it.
        fields: Vec<String>,
        /// Why.
        reason: String,
    },
    /// The API accepted the step's request and did not keep all that was sent. What the step came to comes next.
    NotKept {
        /// The step.
        step: StepKey,
        /// Always false.
        kept: bool,
        /// The fields that the answer shows otherwise.
        fields: Vec<Difference>,
        /// What the answer shows as the step's result, of a create that fails for it: it is not made again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        result: Option<Arc<Value>>,
    },
    /// The step's write was skipped, because it would change nothing. The step is done.
    StepUnchanged {
        /// The step.
        step: StepKey,
        /// Operation id.
        operation: String,
        /// What later steps see: the record as it is known.
        result: Arc<Value>,
        /// How it is known.
        reason: String,
    },
    /// The links that templates asked for, as they were when they were looked up. All attempts of the step see the same.
    LinksFound {
        /// The step; the start of the run for `when` and `vars`.
        step: StepKey,
        /// Each with its other end.
        links: Vec<FoundLink>,
    },
    /// How the event's record differs from what hob had seen of it before, for a recipe that reads it.
    Compared {
        /// Names of the fields that differ, with dots below mappings; all of them where it was never seen before.
        changed: Vec<String>,
        /// The record as it was seen before; null where it never was.
        before: Arc<Value>,
    },
    /// The event is no echo, although hob wrote to its record: the runs that led to this one, the first one first,
    /// where it shows what they wrote.
    Caused {
        /// The runs.
        by: Vec<ChainLink>,
        /// What hob wrote before that to the event's record was known when the run began.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        as_of: Option<DateTime<Utc>>,
    },
    /// A line of the `log` operation or of hob.
    Remark {
        /// `info`, `warn` or `error`.
        level: String,
        /// The text.
        message: String,
    },
    /// The run ended before it began: it is left to the run of a later event about the same record.
    Coalesced {
        /// That run.
        into: RunId,
    },
    /// The run ended.
    Finished {
        /// Final state.
        state: RunState,
        /// Why, for every state except `succeeded`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// The step whose failure ended the run; missing in histories of older versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<StepKey>,
    },
}

impl Entry {
    /// Why a run ended whose event is left to the run `into`.
    pub fn coalesced_reason(into: &RunId) -> String {
        format!("coalesced into {into}: a later event about the record came within the time of `coalesce`")
    }
}

/// An entry with its time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StampedEntry {
    /// When.
    pub at: DateTime<Utc>,
    /// Tokens contained in its data because an API echoed them, to be masked on display: other processes cannot know
    /// a token obtained with a password and never stored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<MirroredToken>,
    /// The entry.
    #[serde(flatten)]
    pub entry: Entry,
}

impl StampedEntry {
    /// `entry`, written at `at`.
    pub fn new(at: DateTime<Utc>, entry: Entry) -> Self {
        Self { at, tokens: Vec::new(), entry }
    }
}

/// An API token contained in the data of an entry.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MirroredToken(String);

impl MirroredToken {
    /// The token.
    pub fn secret(&self) -> Secret {
        Secret::new(self.0.as_str())
    }
}

impl From<Secret> for MirroredToken {
    fn from(secret: Secret) -> Self {
        Self(secret.expose().to_owned())
    }
}

impl fmt::Debug for MirroredToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tokens_are_kept_with_the_entry_and_never_debugged() {
        let mut stamped = StampedEntry::new(DateTime::UNIX_EPOCH, Entry::Restarted {});
        let old = serde_json::to_value(&stamped).unwrap();
        assert_eq!(old, json!({ "at": "1970-01-01T00:00:00Z", "entry": "restarted" }));
        assert_eq!(serde_json::from_value::<StampedEntry>(old).unwrap(), stamped);
        stamped.tokens.push(Secret::new("token-1234").into());
        assert!(!format!("{stamped:?}").contains("1234"));
        let kept = serde_json::to_value(&stamped).unwrap();
        assert_eq!(serde_json::from_value::<StampedEntry>(kept).unwrap(), stamped);
    }
}
