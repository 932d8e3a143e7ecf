//! One thing that is wrong in one place.

use super::code::Code;
use super::suggest::closest;
use crate::source::{Span, SyntaxError};

/// One thing that is wrong in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Which rule it breaks; decides the severity.
    pub code: Code,
    /// What is wrong, lower-case, without a final period, naming the value.
    pub message: String,
    /// Where.
    pub span: Span,
    /// A few words at the place itself.
    pub label: Option<String>,
    /// What to do.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A complaint of this kind at this place.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), span, label: None, help: None }
    }

    /// With words at the place itself.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// With advice.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With "did you mean", if one of `candidates` is close to `name`.
    pub fn suggest<'a>(self, name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        match closest(name, candidates) {
            Some(suggestion) => self.help(suggestion.to_string()),
            None => self,
        }
    }
}

/// A mistake in the YAML itself.
impl From<SyntaxError> for Diagnostic {
    fn from(error: SyntaxError) -> Self {
        let code = if error.unquoted_template { Code::UnquotedTemplate } else { Code::Syntax };
        Self { help: error.help, ..Self::new(code, error.span, error.message) }
    }
}
