//! A path of literal names and indexes, followed directly in JSON.

use std::borrow::Cow;
use std::sync::Arc;

use super::path_key::Key;
use super::scope::Scope;
use crate::value::Value;

/// `event.tags[0]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Access {
    pub(super) root: String,
    pub(super) keys: Vec<Key>,
}

impl Access {
    /// The value; `None` if a part is missing.
    pub(super) fn follow<'s>(&self, scope: &'s Scope) -> Option<Cow<'s, Value>> {
        scope.follow(&self.root, &self.keys)
    }

    /// The value, shared, if the scope holds it as a whole.
    pub(super) fn shared(&self, scope: &Scope) -> Option<Arc<Value>> {
        scope.shared(&self.root, &self.keys)
    }

    /// Whether only the last part is missing.
    pub(super) fn lacks_only_its_end(&self, scope: &Scope) -> bool {
        let Some((_, before)) = self.keys.split_last() else { return false };
        scope.follow(&self.root, before).is_some()
    }
}
