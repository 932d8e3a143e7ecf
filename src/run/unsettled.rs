//! A write without a known outcome.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::StepKey;
use crate::value::{Map, Value};

/// A create that was sent, or is about to be, without a known outcome. Stored with its run, so that other probes know
/// that a record they find may be this one's. Also any other such write that a trigger may read, so that its echo is
/// recognised before its answer is recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unsettled {
    /// The step.
    pub step: StepKey,
    /// Operation id.
    pub operation: String,
    /// The account.
    pub connection: String,
    /// The inputs that a probe compares; all inputs if the write cannot be probed.
    pub inputs: Map<String, Value>,
    /// When the first attempt that may have been carried out was about to be sent.
    pub sent: DateTime<Utc>,
    /// When the last answer was given up on; `None` while it may still arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<DateTime<Utc>>,
    /// It is not a create with a probe.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_probed: bool,
}
