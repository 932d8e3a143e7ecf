//! Filters, functions and tests that exist.

use super::Rule;
use crate::check::Context;
use crate::diagnostic::Diagnostic;

/// Every filter, function and test in a template exists.
pub struct KnownFunctions;

impl Rule for KnownFunctions {
    fn summary(&self) -> &'static str {
        "Every filter, function and test in a template exists."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        for site in &context.sites {
            found.extend(site.template.unknown_functions());
        }
    }
}
