//! Recipes that do something.

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Code, Diagnostic};

/// Warns of recipes without actions.
pub struct DoesSomething;

impl Rule for DoesSomething {
    fn summary(&self) -> &'static str {
        "A recipe has at least one action."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        let recipe = context.recipe;
        if recipe.actions.is_empty() && !recipe.is_broken() {
            let message = "the recipe does nothing: it has no actions";
            found.push(Diagnostic::new(Code::Suspicious, recipe.name.span, message));
        }
    }
}
