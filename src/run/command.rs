//! The machine's decisions: entries to append, then a command to execute.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::RunState;
use super::entry::{StampedEntry, StepKey};
use crate::catalog::{Effect, Operation};
use crate::recipe::{KeptPolicy, OnMissing, Retry};
use crate::template::LinkQuery;
use crate::value::address::Reach;
use crate::value::{Map, Value};

/// Entries to append, then a command to execute.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Entries to append first. An `Intent` among them must be durable before its request is sent.
    pub entries: Vec<StampedEntry>,
    /// The command to execute then.
    pub command: Command,
}

/// What the engine does next.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Execute a step.
    Execute(Box<StepCall>),
    /// Find out whether a step was carried out.
    Probe(Box<Probe>),
    /// Find out what is known of the event's record, which may be an echo.
    GatherEvidence,
    /// Look up links that templates of a step ask for, and record them.
    FindLinks {
        /// The step.
        step: StepKey,
        /// The links.
        links: Vec<LinkQuery>,
    },
    /// Wait until a time.
    Sleep {
        /// Until when.
        until: DateTime<Utc>,
        /// Why.
        reason: String,
    },
    /// Wait for a person.
    Park {
        /// Why.
        reason: String,
    },
    /// Nothing: the run has ended.
    Finish {
        /// Final state.
        state: RunState,
        /// Why.
        reason: Option<String>,
    },
}

/// A step to execute.
#[derive(Debug, Clone, PartialEq)]
pub struct StepCall {
    /// The step.
    pub step: StepKey,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// Whether another attempt may follow if this one fails.
    pub may_try_again: bool,
    /// The operation.
    pub operation: Arc<Operation>,
    /// Its evaluated inputs.
    pub inputs: Map<String, Value>,
    /// Where an address among the inputs may lead.
    pub reach: Reach,
    /// Files that this run has downloaded.
    pub downloaded: Vec<String>,
    /// The effect of sending it twice.
    pub effect: Effect,
    /// The connection; none for built-in operations.
    pub connection: Option<String>,
    /// Time limit of the attempt, if the recipe sets one.
    pub timeout: Option<Duration>,
    /// JSONPath of the result, if the recipe sets one.
    pub pick: Option<String>,
    /// Whether to fetch all pages of the list.
    pub all_pages: bool,
    /// The retry policy.
    pub retry: Retry,
    /// What it means that the record is not there.
    pub on_missing: OnMissing,
    /// What to do where the API does not keep what was sent.
    pub kept: KeptPolicy,
    /// It may be skipped if its record is known from elsewhere to have these values already.
    pub may_be_left_out: bool,
    /// A template reads its result.
    pub result_is_read: bool,
    /// It was deferred before and not sent since, so the history need not say so again.
    pub deferred: bool,
    /// When the first attempt with a lost answer was about to be sent.
    pub first_lost: Option<DateTime<Utc>>,
}

/// A step in doubt to be probed.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// The step.
    pub step: StepKey,
    /// Number of the attempt in doubt.
    pub attempt: u32,
    /// The operation, which has a probe.
    pub operation: Arc<Operation>,
    /// Its evaluated inputs.
    pub inputs: Map<String, Value>,
    /// When the first attempt with a lost answer was sent.
    pub sent: DateTime<Utc>,
    /// When the last of those answers was given up on, or the request sent before a crash of hob.
    pub missed: DateTime<Utc>,
    /// The time from which a list must show the created record.
    pub shown: DateTime<Utc>,
    /// The existing record that the API rejected the request for; an earlier attempt may have created it.
    pub existing: Option<String>,
    /// The connection.
    pub connection: Option<String>,
    /// JSONPath of the result, if the recipe sets one.
    pub pick: Option<String>,
    /// Consecutive deferrals.
    pub deferrals: u32,
}
