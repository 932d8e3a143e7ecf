//! Errors of templates.

use std::fmt;
use std::ops::Range;

use super::syntax::SyntaxError;

/// Why a template could not be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The message, lower-case, without a final period, naming the value.
    pub message: String,
    /// The place, in bytes of the template's text.
    pub range: Option<Range<usize>>,
    /// The remedy.
    pub help: Option<String>,
    /// The kind of error.
    pub kind: ErrorKind,
}

/// Kinds of template errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// It reads something undefined.
    Undefined,
    /// It exceeds the limit of work or memory.
    Fuel,
    /// A filter rejected its arguments.
    Filter,
    /// Anything else, such as an operator with wrong types.
    Other,
}

impl From<SyntaxError> for Error {
    fn from(error: SyntaxError) -> Self {
        let SyntaxError { message, range, help, .. } = error;
        Self { message, range: Some(range), help, kind: ErrorKind::Other }
    }
}

/// Marks an error of hob's own filters; its message completes a sentence with the filter's name and calls the input
/// "the value".
#[derive(Debug)]
pub(super) struct Refusal {
    /// The remedy.
    pub(super) help: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.help.as_deref().unwrap_or("refused by a filter"))
    }
}

impl std::error::Error for Refusal {}

/// A filter's error: `needs text, but the value is a list`.
pub(super) fn refusal(message: impl Into<String>) -> minijinja::Error {
    let error = minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, message.into());
    error.with_source(Refusal { help: None })
}

/// A filter's error with a remedy.
pub(super) fn advised(message: impl Into<String>, help: impl Into<String>) -> minijinja::Error {
    let error = minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, message.into());
    error.with_source(Refusal { help: Some(help.into()) })
}
