//! Filters, functions and tests that exist.

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Code, Diagnostic};
use crate::template::{Spec, Use, filter_alias, filters, function_alias, functions, tests};

/// Every filter, function and test in a template exists.
pub struct KnownFunctions;

impl Rule for KnownFunctions {
    fn summary(&self) -> &'static str {
        "Every filter, function and test in a template exists."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        for site in &context.sites {
            for used in site.template.uses() {
                let (code, kind, name, known) = match used {
                    Use::Filter { name, .. } => (Code::UnknownFilter, "filter", name, filters()),
                    Use::Function { name, .. } => (Code::UnknownFunction, "function", name, functions()),
                    Use::Test { name, .. } => (Code::UnknownFunction, "test", name, tests()),
                    Use::Path { .. } | Use::Omit { .. } => continue,
                };
                if known.iter().any(|spec| spec.name == name) {
                    continue;
                }
                let place = site.template.place(used.range());
                let diagnostic = Diagnostic::new(code, place, format!("no {kind} is called `{name}`"));
                found.push(advised(diagnostic, kind, name, known));
            }
        }
    }
}

fn advised(diagnostic: Diagnostic, kind: &str, name: &str, known: &[Spec]) -> Diagnostic {
    let names = || known.iter().map(|spec| spec.name);
    if kind == "function" && filters().iter().any(|spec| spec.name == name) {
        return diagnostic.help(format!("`{name}` is a filter: write `value | {name}`"));
    }
    if kind == "filter" && functions().iter().any(|spec| spec.name == name) {
        return diagnostic.help(format!("`{name}` is a function: write `{name}()`"));
    }
    let alias = match kind {
        "filter" => filter_alias(name).map(|ours| format!("write `| {ours}`")),
        "function" => function_alias(name).map(|ours| format!("write `{ours}`")),
        _ => None,
    };
    if let Some(help) = alias {
        return diagnostic.help(help);
    }
    let few = known.len() <= 25;
    let diagnostic = match few {
        true => diagnostic.help(format!("there are {}", names().collect::<Vec<_>>().join(", "))),
        false => diagnostic,
    };
    diagnostic.suggest(name, names())
}
