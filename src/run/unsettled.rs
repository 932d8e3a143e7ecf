//! A write of which nothing is known yet.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::StepKey;
use crate::value::{Map, Value};

/// A create that was sent, or is about to be, and of which nothing is known yet. It is kept with its run, so that
/// whoever looks for the like knows that what is found may be this one's. So is any other write to what a trigger
/// reads, so that its echo is known though it comes before its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unsettled {
    /// The step.
    pub step: StepKey,
    /// Operation id.
    pub operation: String,
    /// The account.
    pub connection: String,
    /// The inputs by which its result would be recognised; of what cannot be looked for, all of them.
    pub inputs: Map<String, Value>,
    /// When the first attempt that may have arrived was about to be sent.
    pub sent: DateTime<Utc>,
    /// When the last answer was missed; `None` as long as it may come yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<DateTime<Utc>>,
    /// It is no create that a probe looks for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_probed: bool,
}
