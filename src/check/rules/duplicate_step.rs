//! Step ids that are unique.

use std::collections::HashMap;

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;

/// No two steps have the same id.
pub struct UniqueSteps;

impl Rule for UniqueSteps {
    fn summary(&self) -> &'static str {
        "No two steps have the same `id`."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        let mut first: HashMap<&str, Span> = HashMap::new();
        for id in context.recipe.all_actions().filter_map(|action| action.given_id.as_ref()) {
            match first.get(id.as_str()) {
                Some(earlier) => {
                    let line = context.recipe.file.position(earlier.start).line;
                    let message = format!("two steps are called `{id}`");
                    let help = format!("the first one is on line {line}; give one of them another id");
                    found.push(Diagnostic::new(Code::DuplicateName, id.span, message).help(help));
                }
                None => {
                    first.insert(id, id.span);
                }
            }
        }
    }
}
