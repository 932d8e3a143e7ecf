//! The interface of a rule.

use crate::check::Context;
use crate::diagnostic::Diagnostic;

/// Checks a recipe for one kind of mistake.
pub trait Rule: Sync {
    /// What it ensures, in one sentence.
    fn summary(&self) -> &'static str;

    /// Adds what it finds to `found`.
    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>);
}
