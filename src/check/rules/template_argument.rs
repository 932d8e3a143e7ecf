//! Arguments of filters, tests and functions.

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Code, Diagnostic};

/// Filters, tests and functions get arguments that they accept.
pub struct Arguments;

impl Rule for Arguments {
    fn summary(&self) -> &'static str {
        "Filters, tests and functions are given arguments that they take, and none that is written out and can never work."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        for site in &context.sites {
            for problem in site.template.calls().iter().flat_map(|call| call.problems()) {
                let place = site.template.place(problem.range);
                let mut diagnostic = Diagnostic::new(Code::BadArgument, place, problem.message);
                diagnostic.help = problem.help;
                found.push(diagnostic);
            }
        }
    }
}
