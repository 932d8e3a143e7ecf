//! Variables that something reads.

use std::collections::HashSet;

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Code, Diagnostic};
use crate::template::{PathStep, Use};

/// Warns of variables that no template reads.
pub struct ReadVariables;

impl Rule for ReadVariables {
    fn summary(&self) -> &'static str {
        "Every variable of `vars` is read by a template, unless its name begins with `_`."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        let vars = &context.recipe.vars;
        // What does not parse may read it, and so may a misspelt name.
        let is_open = context.recipe.is_broken()
            || context.recipe.is_generated()
            || found.iter().any(|found| found.code == Code::UnknownVariable);
        if vars.is_empty() || is_open {
            return;
        }
        let mut read: HashSet<&str> = HashSet::new();
        for used in context.sites.iter().flat_map(|site| site.template.uses()) {
            match used {
                Use::Path { root, steps, .. } if root == "vars" => match steps.first() {
                    Some(PathStep::Field(name)) => drop(read.insert(name)),
                    // All of them.
                    _ => return,
                },
                _ => {}
            }
        }
        for name in vars.keys().filter(|name| !name.starts_with('_') && !read.contains(name.as_str())) {
            let message = format!("nothing reads the variable `{name}`");
            let help = format!("use it as `vars.{name}`, or leave it out");
            found.push(Diagnostic::new(Code::UnusedVariable, name.span, message).help(help));
        }
    }
}
