//! Fields that change nothing where they stand.

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Code, Diagnostic};
use crate::recipe::UnchangedPolicy;

/// Warns of fields that have no effect.
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
        for (call, operation) in context.known_calls() {
            let (Some(builtin), Some(action)) = (operation.builtin, call.action) else { continue };
            for field in action.request_fields.iter().filter(|field| !builtin.honors(field.value)) {
                let reason = match field.value {
                    "version" => "no connector's API is called",
                    _ => "no request is sent",
                };
                let message = format!("`{}` has no effect on `{}`: {reason}", field.value, operation.id);
                found.push(Diagnostic::new(Code::Suspicious, field.span, message).help("leave it out"));
            }
        }
    }
}
