//! Fields that the language has and hob does not act on yet.

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Code, Diagnostic};
use crate::recipe::UnchangedPolicy;

/// Warns of fields that change nothing.
pub struct HonoredFields;

impl Rule for HonoredFields {
    fn summary(&self) -> &'static str {
        "Every field of a recipe has an effect."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        let unchanged = context.recipe.unchanged.as_ref();
        if let Some(skip) = unchanged.filter(|policy| policy.value == UnchangedPolicy::Skip) {
            let message = "`unchanged: skip` does not work yet: writes that would change nothing are sent";
            let help = "leave the field out, and compare in a condition of the step where it matters";
            found.push(Diagnostic::new(Code::Suspicious, skip.span, message).help(help));
        }
    }
}
