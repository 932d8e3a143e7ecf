//! What a run's history is made of. Entries are stored as JSON and stay readable for ever: a variant
//! is never changed, only joined by a new one.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{RunId, RunState};
use crate::secret::{REDACTED, Secret};

/// As entries have them; no action has such an id.
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
    pub fn of(action: impl Into<String>) -> Self {
        Self { action: action.into(), item: None }
    }
}

impl StepKey {
    /// What comes before the first step: the condition, the lane and the variables.
    pub fn start() -> Self {
        Self::of(START)
    }

    /// Whether it stands for what comes before the first step.
    pub fn is_start(&self) -> bool {
        self.action == START
    }

    /// The step that fetches the whole record of a thin event.
    pub fn hydrate() -> Self {
        Self::of(HYDRATE)
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

/// How hob knows what became of an attempt whose answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KnownBy {
    /// A probe found it.
    Probe,
    /// A person said so.
    Person,
    /// It was a removal, and nothing is left to remove.
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
    /// What happened, for people; no secrets.
    pub message: String,
    /// HTTP status, where there was an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The place in the recipe, with a caret, where the reason stands there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
}

impl StepError {
    /// An error that is all said in `message`.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), status: None, help: None, excerpt: None }
    }
}

/// A run in a chain of runs, of which each follows from a write of the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainLink {
    /// The run.
    pub run: RunId,
    /// Its recipe.
    pub recipe: String,
    /// The record that it was about.
    pub record: String,
    /// When it wrote.
    pub at: DateTime<Utc>,
}

/// One entry of a run's history. Its texts for people hold no secrets; its data is as it came and went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// `when` held; these are the recipe's variables.
    Started {
        /// Version of the recipe.
        version: String,
        /// Values of `vars`.
        vars: Map<String, Value>,
    },
    /// A step's `if` did not hold, or its `for_each` was empty.
    StepSkipped {
        /// The step.
        step: StepKey,
        /// Why.
        reason: String,
    },
    /// About to send. Written before any request that has an effect.
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
    /// The step is done and is never done again.
    StepSucceeded {
        /// The step.
        step: StepKey,
        /// Number of the attempt.
        attempt: u32,
        /// What later steps see.
        result: Arc<Value>,
        /// How hob knows, where it was not simply answered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        known_by: Option<KnownBy>,
        /// The result was too large to keep and nothing read it: `result` only says so.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        truncated: bool,
    },
    /// The attempt failed; with `retry_at`, another one follows.
    StepFailed {
        /// The step.
        step: StepKey,
        /// Number of the attempt.
        attempt: u32,
        /// Why.
        error: StepError,
        /// When to try again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_at: Option<DateTime<Utc>>,
        /// The request may have been carried out all the same: only its answer is missing.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        lost: bool,
    },
    /// Not sent, or refused for the rate limit: tried again without using up an attempt.
    Deferred {
        /// The step.
        step: StepKey,
        /// When to go on.
        until: DateTime<Utc>,
        /// Why.
        reason: String,
        /// Its connection is held: it goes on as soon as it is taken up, which may be before `until`.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        held: bool,
    },
    /// Sent, answer unknown.
    InDoubt {
        /// The step.
        step: StepKey,
        /// Number of the attempt.
        attempt: u32,
        /// What is known.
        reason: String,
        /// HTTP status, where there was an answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// It was hob itself that stopped, which says nothing of the server.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        interrupted: bool,
        /// The record there is, where it was refused for that after an earlier attempt's answer was lost.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        existing: Option<String>,
    },
    /// A probe found that the attempt did not happen; it may be sent again.
    DidNotHappen {
        /// The step.
        step: StepKey,
        /// Number of the attempt.
        attempt: u32,
        /// How hob knows.
        known_by: KnownBy,
    },
    /// A `wait` began.
    WaitStarted {
        /// The step.
        step: StepKey,
        /// When it ends.
        until: DateTime<Utc>,
        /// By the wall clock, whatever that is set to meanwhile: it was to end at that time, not after a
        /// span.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        by_wall: bool,
    },
    /// Waits for a person.
    Parked {
        /// The step in doubt.
        step: StepKey,
        /// What is known.
        reason: String,
    },
    /// A person asked for a retry from the failed step.
    Resumed {
        /// The steps that failed are open again.
        from: StepKey,
    },
    /// A person asked to do everything again.
    Restarted {},
    /// The list that the step read has, or may have, more than its result, which comes next.
    MoreRecords {
        /// The step.
        step: StepKey,
        /// What is known, and what to do.
        message: String,
    },
    /// Parts of the step's result, which comes next, are not known, because an answer was lost.
    UnknownFields {
        /// The step.
        step: StepKey,
        /// Places in the result: `new`, `[].tagsAdded`; empty for the whole.
        fields: Vec<String>,
        /// Why.
        reason: String,
    },
    /// The event shows what another run wrote, and is no echo all the same: the runs that led to this one, the first
    /// one first.
    Caused {
        /// The runs.
        by: Vec<ChainLink>,
    },
    /// A line by the `log` operation, or a remark of hob's own.
    Remark {
        /// `info`, `warn` or `error`.
        level: String,
        /// The text.
        message: String,
    },
    /// The end.
    Finished {
        /// Final state.
        state: RunState,
        /// Why, for every state but `succeeded`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// The step whose failure ended the run. Histories of older versions do not have it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<StepKey>,
    },
}

/// An entry and when it was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StampedEntry {
    /// When.
    pub at: DateTime<Utc>,
    /// Tokens that stand in its data because an API repeated them. Whoever shows the entry masks them; no other
    /// process can know a token that was fetched with a password and never kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<MirroredToken>,
    /// What.
    #[serde(flatten)]
    pub entry: Entry,
}

impl StampedEntry {
    /// `entry`, written at `at`.
    pub fn new(at: DateTime<Utc>, entry: Entry) -> Self {
        Self { at, tokens: Vec::new(), entry }
    }
}

/// A token of an API that stands in the data of an entry.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MirroredToken(String);

impl MirroredToken {
    /// The token, to be masked.
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
