//! What the log does not show. There is one log in a process.

use std::sync::{PoisonError, RwLock};

use crate::secret::Redactor;

/// What no line shows.
static HIDDEN: RwLock<Option<Redactor>> = RwLock::new(None);

/// From now on no line shows what `redactor` knows.
pub(super) fn hide(redactor: Redactor) {
    *HIDDEN.write().unwrap_or_else(PoisonError::into_inner) = Some(redactor);
}

/// `text` without what is hidden.
pub(super) fn redact(text: &str) -> String {
    match &*HIDDEN.read().unwrap_or_else(PoisonError::into_inner) {
        Some(redactor) => redactor.text(text),
        None => text.to_owned(),
    }
}
