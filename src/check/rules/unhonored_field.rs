//! Fields that change nothing where they stand.

use super::Rule;
use crate::catalog::Operation;
use crate::check::Context;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Spanned;

/// Warns of fields that have no effect.
pub struct HonoredFields;

impl Rule for HonoredFields {
    fn summary(&self) -> &'static str {
        "Every field of a recipe has an effect."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        for (call, operation) in context.known_calls() {
            let Some(action) = call.action else { continue };
            let Some(builtin) = operation.builtin else {
                found.extend(action.request_fields.iter().filter_map(|field| unhonored(field, operation)));
                continue;
            };
            for field in action.request_fields.iter().filter(|field| !builtin.honors(field.value)) {
                let reason = match field.value {
                    "version" => "no connector's API is called",
                    "kept" | "unchanged" => "it writes no record of a connector",
                    _ => "no request is sent",
                };
                let message = format!("`{}` has no effect on `{}`: {reason}", field.value, operation.id);
                found.push(Diagnostic::new(Code::Suspicious, field.span, message).help("leave it out"));
            }
        }
    }
}

/// A policy for writes on an operation that it cannot concern.
fn unhonored(field: &Spanned<&'static str>, operation: &Operation) -> Option<Diagnostic> {
    let reason = match field.value {
        "kept" if operation.write_target().is_none() => "it writes nothing",
        "unchanged" if operation.updates.is_none() => {
            "only updates of one record that do nothing else are ever left out"
        }
        _ => return None,
    };
    let message = format!("`{}` has no effect on `{}`: {reason}", field.value, operation.id);
    Some(Diagnostic::new(Code::Suspicious, field.span, message).help("leave it out"))
}
