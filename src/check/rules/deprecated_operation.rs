//! Deprecated operations.

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Code, Diagnostic};

/// Warns of operations that their vendor advises against.
pub struct NotDeprecated;

impl Rule for NotDeprecated {
    fn summary(&self) -> &'static str {
        "Operations that their vendor advises against are reported."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        for (call, operation) in context.known_calls().filter(|(_, operation)| operation.deprecated) {
            let message = format!("the vendor advises against `{}`", operation.id);
            let diagnostic = Diagnostic::new(Code::Deprecated, call.name.span, message);
            found.push(diagnostic.help(operation.summary.clone()));
        }
    }
}
