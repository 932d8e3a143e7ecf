//! What is decided: what is to be recorded, and what is to be done then.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::RunState;
use super::entry::{StampedEntry, StepKey};
use crate::catalog::{Effect, Operation};
use crate::recipe::Retry;
use crate::value::address::Reach;
use crate::value::{Map, Value};

/// What is to be done, and what is to be recorded before it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Entries to append first. An `Intent` among them must be durable before its request is sent.
    pub entries: Vec<StampedEntry>,
    /// What to do then.
    pub command: Command,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Execute a step.
    Execute(Box<StepCall>),
    /// Find out whether a step happened.
    Probe(Box<Probe>),
    /// Nothing before this time.
    Sleep {
        /// Until when.
        until: DateTime<Utc>,
        /// Why.
        reason: String,
    },
    /// Nothing until a person decides.
    Park {
        /// Why.
        reason: String,
    },
    /// Nothing any more.
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
    /// Another attempt may follow if this one fails.
    pub may_try_again: bool,
    /// The operation.
    pub operation: Arc<Operation>,
    /// Its inputs, as the recipe gives them.
    pub inputs: Map<String, Value>,
    /// Where an address among the inputs may lead.
    pub reach: Reach,
    /// Files that this run has downloaded.
    pub downloaded: Vec<String>,
    /// What sending it twice would do.
    pub effect: Effect,
    /// The connection; none for built-in operations.
    pub connection: Option<String>,
    /// Longest time of the attempt, where the recipe says so.
    pub timeout: Option<Duration>,
    /// JSONPath of the result, where the recipe says so.
    pub pick: Option<String>,
    /// The whole list is wanted, page after page.
    pub all_pages: bool,
    /// How to try again.
    pub retry: Retry,
    /// It was deferred before, and not sent since: the history says so already.
    pub deferred: bool,
    /// When the first attempt was about to be sent that may have been carried out, as its answer was lost.
    pub first_lost: Option<DateTime<Utc>>,
}

/// A step in doubt to look into.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// The step.
    pub step: StepKey,
    /// Number of the attempt in doubt.
    pub attempt: u32,
    /// The operation in doubt, which has a probe.
    pub operation: Arc<Operation>,
    /// Its inputs, as the recipe gave them.
    pub inputs: Map<String, Value>,
    /// When it was sent: the first of the attempts whose answers were lost.
    pub sent: DateTime<Utc>,
    /// When the last of those answers was missed, or the request sent where hob stopped before.
    pub missed: DateTime<Utc>,
    /// The time, as hob counts, from which on a list must show what was made.
    pub shown: DateTime<Utc>,
    /// The record for which it was refused, which may be what an earlier attempt made.
    pub existing: Option<String>,
    /// The connection.
    pub connection: Option<String>,
    /// JSONPath of the result, where the recipe says so.
    pub pick: Option<String>,
    /// Deferrals in a row.
    pub deferrals: u32,
}
