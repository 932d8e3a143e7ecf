//! How far a poll is, for people who wait for it.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};

/// How far a scan is after a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRead {
    /// The recipe.
    pub recipe: String,
    /// Pages of this scan so far.
    pub pages: u64,
    /// Items read since this process took the scan up.
    pub items: u64,
    /// Items of the whole list, where the answer tells.
    pub total: Option<u64>,
    /// When the scan began.
    pub started: DateTime<Utc>,
    /// It was the last page.
    pub last: bool,
}

/// Told of every page of a poll. Must return at once.
#[derive(Clone)]
pub struct OnPage(Arc<dyn Fn(&PageRead) + Send + Sync>);

impl OnPage {
    /// Calls `tell`.
    pub fn new(tell: impl Fn(&PageRead) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    pub(super) fn tell(&self, page: &PageRead) {
        (self.0)(page);
    }
}

impl Default for OnPage {
    fn default() -> Self {
        Self::new(|_| {})
    }
}

impl fmt::Debug for OnPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnPage")
    }
}
