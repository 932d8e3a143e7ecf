//! What can be watched.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::dashboard::page_error::PageError;

/// Digits of a fingerprint.
const DIGITS: usize = 16;
/// How often most things are looked at.
const SELDOM: Duration = Duration::from_secs(2);
/// How often something in this process is looked at.
const OFTEN: Duration = Duration::from_millis(500);

/// Something that a page shows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(tag = "of", content = "id", rename_all = "snake_case")]
pub(in crate::dashboard) enum Topic {
    /// What is wrong, and what goes on.
    Now,
    /// The recipe of this name.
    Recipe(String),
    /// The run with this id.
    Run(String),
    /// The act on all runs of a cause with this id.
    Job(String),
}

impl Topic {
    /// How often it is looked at.
    pub(super) fn interval(&self) -> Duration {
        match self {
            Self::Job(_) => OFTEN,
            Self::Now | Self::Recipe(_) | Self::Run(_) => SELDOM,
        }
    }
}

/// Changes when `shown` does.
pub(in crate::dashboard) fn fingerprint(shown: &impl Serialize) -> Result<String, PageError> {
    let shown = serde_json::to_vec(shown).map_err(PageError::Unwritable)?;
    Ok(hex::encode(Sha256::digest(shown))[..DIGITS].to_owned())
}
