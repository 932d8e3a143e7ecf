//! What recipes may ask for and hob does not do yet.

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Code, Diagnostic};
use crate::recipe::LaneOnFailure;

/// Warns of a `lane_on_failure: block` that nobody keeps.
pub struct NothingIgnored;

impl Rule for NothingIgnored {
    fn summary(&self) -> &'static str {
        "What a recipe asks for and hob does not do yet is told."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        if context.recipe.lane_on_failure == LaneOnFailure::Block {
            let message = "`lane_on_failure: block` is not done yet: later runs of the lane go on";
            let help = "a step with `on_error: continue`, or `on_failure`, can tell you of the failure";
            let span = context.recipe.name.span;
            found.push(Diagnostic::new(Code::Suspicious, span, message).help(help));
        }
    }
}
