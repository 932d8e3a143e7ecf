//! Why a schedule cannot be used.

use std::ops::Range;

/// A crontab line that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What is wrong, lower-case, naming the value.
    pub message: String,
    /// What to do.
    pub help: String,
    /// Which bytes are wrong, in the text named by `part`.
    pub range: Range<usize>,
    /// Which of the two texts is wrong.
    pub part: Part,
}

/// The texts that a schedule is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The crontab line.
    Expression,
    /// The name of the time zone.
    Timezone,
}

impl Error {
    /// `range` of the expression is wrong.
    pub(super) fn at(range: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into(), range, part: Part::Expression }
    }
}
