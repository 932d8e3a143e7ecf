//! Filters, functions and tests that do not exist.

use super::foreign::{instead_of, is_exact_alias};
use super::located::LocatedTemplate;
use super::{Spec, Use, filter_alias, filters, functions, tests};
use crate::diagnostic::{Code, Diagnostic, Fix};

impl LocatedTemplate {
    /// Its filters, functions and tests that do not exist.
    pub fn unknown_functions(&self) -> impl Iterator<Item = Diagnostic> {
        self.uses().iter().filter_map(|used| {
            let (code, kind, name, known) = match used {
                Use::Filter { name, .. } => (Code::UnknownFilter, "filter", name, filters()),
                Use::Function { name, .. } => (Code::UnknownFunction, "function", name, functions()),
                Use::Test { name, .. } => (Code::UnknownFunction, "test", name, tests()),
                Use::Path { .. } | Use::Omit { .. } => return None,
            };
            if known.iter().any(|spec| spec.name == name) {
                return None;
            }
            let place = self.place(used.range());
            let diagnostic = Diagnostic::new(code, place, format!("no {kind} is called `{name}`"));
            Some(advised(diagnostic, kind, name, known))
        })
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
    if let Some(help) = instead_of(kind, name) {
        let ours = filter_alias(name).filter(|ours| kind == "filter" && !ours.contains('('));
        let fix = ours.and_then(|ours| Fix::rename(diagnostic.span, name, ours));
        let fix = if is_exact_alias(name) { fix } else { fix.map(Fix::suggested) };
        return diagnostic.help(help).fix(fix);
    }
    let few = known.len() <= 25;
    let diagnostic = match few {
        true => diagnostic.help(format!("there are {}", names().collect::<Vec<_>>().join(", "))),
        false => diagnostic,
    };
    diagnostic.suggest(name, names())
}
