//! The kind of an event.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

/// The kind of an event. If the body of a webhook matches several kinds, it contains all of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventKind(String);

/// Separator of several kinds.
const SEPARATOR: &str = "|";

impl EventKind {
    /// One of these events.
    pub fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self(names.into_iter().collect::<Vec<_>>().join(SEPARATOR))
    }

    /// Its name, or its names with `|` between them.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The names of all kinds.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split(SEPARATOR)
    }
}

impl Deref for EventKind {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for EventKind {
    fn from(name: T) -> Self {
        Self(name.into())
    }
}

impl PartialEq<str> for EventKind {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for EventKind {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
