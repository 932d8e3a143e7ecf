//! The kind of an event.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

/// What kind of thing an event is. Where the body of a webhook may be one of several events, it names them all.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventKind(String);

/// Between the names of an event that is one of several.
const OR: &str = "|";

impl EventKind {
    /// One of these events.
    pub fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self(names.into_iter().collect::<Vec<_>>().join(OR))
    }

    /// Its name, or its names with `|` between them.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The names of the events it may be.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split(OR)
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
