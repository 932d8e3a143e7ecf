//! Why a template has no value.

use std::fmt;
use std::ops::Range;

use super::syntax::SyntaxError;

/// A template could not be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What went wrong, lower-case, without a final period, naming the value.
    pub message: String,
    /// Where, in bytes of the template's text.
    pub range: Option<Range<usize>>,
    /// What to do.
    pub help: Option<String>,
    /// What sort of thing went wrong.
    pub kind: ErrorKind,
}

/// Sorts of failures of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// It reads something that is not there.
    Undefined,
    /// It does or makes more than it may.
    Fuel,
    /// A filter refused what it was given.
    Filter,
    /// Anything else: an operator between the wrong types, say.
    Other,
}

impl From<SyntaxError> for Error {
    fn from(error: SyntaxError) -> Self {
        let SyntaxError { message, range, help } = error;
        Self { message, range: Some(range), help, kind: ErrorKind::Other }
    }
}

/// Marks a complaint as one of hob's own filters; such a message continues the filter's name and says
/// "the value" for its input.
#[derive(Debug)]
pub(super) struct Refusal {
    /// What to do.
    pub(super) help: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.help.as_deref().unwrap_or("refused by a filter"))
    }
}

impl std::error::Error for Refusal {}

/// A filter's complaint: `needs text, but the value is a list`.
pub(super) fn refusal(message: impl Into<String>) -> minijinja::Error {
    let error = minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, message.into());
    error.with_source(Refusal { help: None })
}

/// A filter's complaint, and what to do.
pub(super) fn advised(message: impl Into<String>, help: impl Into<String>) -> minijinja::Error {
    let error = minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, message.into());
    error.with_source(Refusal { help: Some(help.into()) })
}
