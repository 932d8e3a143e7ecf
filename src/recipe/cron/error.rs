//! Why a schedule cannot be used.

use std::ops::Range;

/// An invalid schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What is wrong, lower-case, naming the value.
    pub message: String,
    /// The remedy.
    pub help: String,
    /// The invalid bytes, in the text named by `part`.
    pub range: Range<usize>,
    /// Which of the two texts is invalid.
    pub part: Part,
}

/// The texts of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The crontab line.
    Expression,
    /// The name of the time zone.
    Timezone,
}

impl Error {
    /// An error in `range` of the expression.
    pub(super) fn at(range: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into(), range, part: Part::Expression }
    }
}
