//! The last write that a store did not take.

use std::sync::{Mutex, PoisonError};

use super::Error;

/// Remembers the last write that failed because of the store, until one succeeds.
#[derive(Debug, Default)]
pub(super) struct LastFailure(Mutex<Option<Error>>);

impl LastFailure {
    /// What a write came to.
    pub(super) fn record<T>(&self, result: &Result<T, Error>) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(_) => *last = None,
            Err(error @ (Error::Unavailable { .. } | Error::Corrupt { .. })) => *last = Some(error.clone()),
            // The store is well: it knows better.
            Err(_) => {}
        }
    }

    /// The failure, if no write has succeeded since.
    pub(super) fn get(&self) -> Option<Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
