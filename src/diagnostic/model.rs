//! A mistake with its location.

use super::code::{Code, Severity};
use super::fix::{Applicability, Edit, Fix};
use super::suggest::{Suggestion, closest};
use crate::source::{Span, SyntaxError, quoted};

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
    /// The same as edits, where a program can make them.
    pub fix: Option<Box<Fix>>,
}

impl Diagnostic {
    /// A diagnostic at this location.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), span, label: None, help: None, fix: None }
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

    /// Adds edits that mend it.
    pub fn fix(mut self, fix: impl Into<Option<Fix>>) -> Self {
        self.fix = fix.into().map(Box::new);
        self
    }

    /// Adds "did you mean" if one of `candidates` is close to `name`.
    pub fn suggest<'a>(self, name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        match closest(name, candidates) {
            Some(suggestion) => self.meant(name, &suggestion),
            None => self,
        }
    }

    /// Adds that `suggestion` was probably meant by `name`. It is mended without asking if no other name is as near,
    /// and the recipe does nothing as it is.
    pub fn meant(self, name: &str, suggestion: &Suggestion) -> Self {
        let fix = Fix::rename(self.span, name, suggestion.name());
        let is_safe = suggestion.is_clear() && self.code.severity() == Severity::Error;
        let fix = if is_safe { fix } else { fix.map(Fix::suggested) };
        self.help(suggestion.to_string()).fix(fix)
    }

    /// The same without edits.
    pub fn without_fix(self) -> Self {
        Self { fix: None, ..self }
    }

    /// As a warning about what works as it is: it is not mended without asking.
    pub fn recoded(self, code: Code) -> Self {
        Self { code, ..self.suggested() }
    }

    /// The same, whose edits are only offered.
    pub fn suggested(mut self) -> Self {
        if let Some(fix) = &mut self.fix {
            fix.applicability = Applicability::Suggested;
        }
        self
    }
}

/// A YAML syntax error.
impl From<SyntaxError> for Diagnostic {
    fn from(error: SyntaxError) -> Self {
        let code = if error.unquoted.is_some() { Code::UnquotedTemplate } else { Code::Syntax };
        let fix = error.unquoted.map(|replaced| {
            let replacement = quoted(&replaced);
            Fix::new("put it in quotes", vec![Edit { span: error.span, replaced, replacement }])
        });
        Self { help: error.help, ..Self::new(code, error.span, error.message) }.fix(fix)
    }
}
