//! The last write that failed.

use std::sync::{Mutex, PoisonError};

use super::Error;

/// Remembers the last write that failed because of the store, until one succeeds.
#[derive(Debug, Default)]
pub(super) struct LastFailure(Mutex<Option<Error>>);

impl LastFailure {
    /// Records the result of a write.
    pub(super) fn record<T>(&self, result: &Result<T, Error>) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(_) => *last = None,
            Err(error @ (Error::Unavailable { .. } | Error::Corrupt { .. })) => *last = Some(error.clone()),
            // Errors that are not the store's do not count.
            Err(_) => {}
        }
    }

    /// The failure, if no write has succeeded since.
    pub(super) fn get(&self) -> Option<Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
