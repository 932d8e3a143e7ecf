//! Runs that are in one state for one reason.

use chrono::{DateTime, Utc};

use crate::run::{RunId, RunState};

/// Runs of a recipe, in one version and on the same connections, that are in the same state for the same reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedAlike {
    /// Their recipe.
    pub recipe: String,
    /// Its version that they began with, if they began.
    pub version: Option<String>,
    /// Their connections, in recipe order.
    pub connections: Vec<String>,
    /// Why, word for word.
    pub reason: Option<String>,
    /// The number of runs.
    pub count: u64,
    /// When the first of them ended; if it is not finished, when it was created.
    pub first: DateTime<Utc>,
    /// When the last of them did.
    pub last: DateTime<Utc>,
    /// The one that was created last.
    pub newest: RunId,
    /// Runs behind them in their lanes, which wait until somebody decides about them.
    pub behind: u64,
}

/// Which runs [`Queries::ended_alike`](super::Queries::ended_alike) counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedIn {
    /// Those in this state.
    pub state: RunState,
    /// Those created at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// At most this many, the newest; `None` for all.
    pub limit: Option<usize>,
}
