//! Redaction of the log, which is global in a process.

use std::sync::{PoisonError, RwLock};

use crate::secret::Redactor;

/// The redactor of all lines.
static HIDDEN: RwLock<Option<Redactor>> = RwLock::new(None);

/// Redacts what `redactor` knows in all later lines.
pub(super) fn hide(redactor: Redactor) {
    *HIDDEN.write().unwrap_or_else(PoisonError::into_inner) = Some(redactor);
}

/// Redacts `text`.
pub(super) fn redact(text: &str) -> String {
    match &*HIDDEN.read().unwrap_or_else(PoisonError::into_inner) {
        Some(redactor) => redactor.text(text),
        None => text.to_owned(),
    }
}
