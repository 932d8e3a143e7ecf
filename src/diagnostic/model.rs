//! A mistake with its location.

use super::code::Code;
use super::suggest::closest;
use crate::source::{Span, SyntaxError};

/// A mistake with its location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The code, which determines the severity.
    pub code: Code,
    /// What is wrong, lower-case, without a final period, naming the value.
    pub message: String,
    /// The location.
    pub span: Span,
    /// A few words at the location.
    pub label: Option<String>,
    /// The remedy.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A diagnostic at this location.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), span, label: None, help: None }
    }

    /// Adds words at the location.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Adds a remedy.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds "did you mean" if one of `candidates` is close to `name`.
    pub fn suggest<'a>(self, name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        match closest(name, candidates) {
            Some(suggestion) => self.help(suggestion.to_string()),
            None => self,
        }
    }
}

/// A YAML syntax error.
impl From<SyntaxError> for Diagnostic {
    fn from(error: SyntaxError) -> Self {
        let code = if error.unquoted_template { Code::UnquotedTemplate } else { Code::Syntax };
        Self { help: error.help, ..Self::new(code, error.span, error.message) }
    }
}
