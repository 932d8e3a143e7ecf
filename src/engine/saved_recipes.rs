//! Which recipe versions are stored in the journal.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Stored versions, as far as this process knows.
#[derive(Debug, Default)]
pub(super) struct SavedRecipes(Mutex<HashSet<String>>);

impl SavedRecipes {
    /// Whether `version` is not yet stored; marks it as stored.
    pub(super) fn is_new(&self, version: &str) -> bool {
        !self.set().contains(version) && self.set().insert(version.to_owned())
    }

    /// Storing it failed.
    pub(super) fn forget(&self, version: &str) {
        self.set().remove(version);
    }

    fn set(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
