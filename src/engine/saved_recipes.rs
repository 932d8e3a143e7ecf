//! Which versions of recipes the journal has the text of already.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Versions that were kept, as far as this process knows.
#[derive(Debug, Default)]
pub(super) struct SavedRecipes(Mutex<HashSet<String>>);

impl SavedRecipes {
    /// Whether `version` is yet to be kept; from now on it counts as kept.
    pub(super) fn is_new(&self, version: &str) -> bool {
        !self.set().contains(version) && self.set().insert(version.to_owned())
    }

    /// It could not be kept.
    pub(super) fn forget(&self, version: &str) {
        self.set().remove(version);
    }

    fn set(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
