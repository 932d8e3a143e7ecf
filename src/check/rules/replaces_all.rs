//! Inputs that replace a whole list.

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Code, Diagnostic};

/// Warns of inputs that replace a whole list, if another operation adds to it.
pub struct AddsOnly;

impl Rule for AddsOnly {
    fn summary(&self) -> &'static str {
        "A list that would replace all that the record has is not given where another operation adds to it."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        for (call, operation) in context.known_calls() {
            for (key, _) in call.inputs() {
                let Some(instead) = operation.replaces_all.get(key.as_str()) else { continue };
                let message = format!("`{key}` of `{}` replaces all that the record has", operation.id);
                let help = match instead.as_str() {
                    "" => "give all of them, those that it has included".to_owned(),
                    instead => format!("`{instead}` adds to them and leaves the others"),
                };
                found.push(Diagnostic::new(Code::ReplacesAll, key.span, message).help(help));
            }
        }
    }
}
