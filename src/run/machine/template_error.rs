//! Template errors as step errors.

use crate::diagnostic::{Code, Diagnostic, render};
use crate::run::entry::StepError;
use crate::source::SourceFile;
use crate::template::LocatedError;

/// The error of a step whose template failed, with its place.
pub(super) fn template_error(file: &SourceFile, error: &LocatedError) -> StepError {
    let mut diagnostic = Diagnostic::new(Code::TemplateFailed, error.span, error.error.message.clone());
    diagnostic.help.clone_from(&error.error.help);
    let position = file.position(error.span.start);
    StepError {
        message: format!("{}:{}:{}: {}", file.name(), position.line, position.column, error.error.message),
        status: None,
        help: error.error.help.clone(),
        excerpt: Some(render(file, &[diagnostic], false)),
    }
}
