//! Progress of a poll.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};

/// Progress of a scan after a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRead {
    /// Name of the recipe.
    pub recipe: String,
    /// Number of pages read in this scan.
    pub pages: u64,
    /// Number of items read since this process started or resumed the scan.
    pub items: u64,
    /// Number of items in the whole list, where the answer states it.
    pub total: Option<u64>,
    /// Start of the scan.
    pub started: DateTime<Utc>,
    /// This was the last page.
    pub last: bool,
}

/// Callback for every page of a poll. Must return at once.
#[derive(Clone)]
pub struct OnPage(Arc<dyn Fn(&PageRead) + Send + Sync>);

impl OnPage {
    /// Reports to `tell`.
    pub fn new(tell: impl Fn(&PageRead) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    pub(super) fn report(&self, page: &PageRead) {
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
