//! Inputs that exist.

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Code, Diagnostic, Fix};

/// More names are no help.
const MAX_NAMES: usize = 15;

/// Every input under `with` exists in the operation.
pub struct KnownParameters;

impl Rule for KnownParameters {
    fn summary(&self) -> &'static str {
        "Every input under `with` is one that the operation takes, and none that hob sets itself."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        for (call, operation) in context.known_calls() {
            let inputs = operation.inputs();
            let managed: Vec<&str> = match (call.action, &operation.list) {
                (None, Some(list)) => list.paging_inputs(),
                (Some(action), Some(list)) if action.pages.is_some() => list.paging_inputs(),
                _ => Vec::new(),
            };
            for (key, _) in call.inputs() {
                if managed.contains(&key.as_str()) {
                    let message =
                        format!("`{key}` chooses a page, and hob itself reads page after page here");
                    let diagnostic = Diagnostic::new(Code::UnknownParameter, key.span, message);
                    found.push(diagnostic.help("leave it out"));
                    continue;
                }
                if operation.takes_any_input() || inputs.iter().any(|input| input.name == key.as_str()) {
                    continue;
                }
                let message = format!("`{}` has no parameter `{key}`", operation.id);
                let diagnostic = Diagnostic::new(Code::UnknownParameter, key.span, message);
                if let (Some(now), Some(version)) = (operation.renamed.get(key.as_str()), &operation.api) {
                    let fix = Fix::rename(key.span, key, now).filter(|_| call.with.get(now).is_none());
                    let help = format!("version {version} of the API calls it `{now}`");
                    found.push(diagnostic.help(help).fix(fix));
                    continue;
                }
                let names: Vec<&str> =
                    inputs.iter().map(|input| input.name).filter(|name| !managed.contains(name)).collect();
                let help = match names.as_slice() {
                    [] => "it takes none".to_owned(),
                    names if names.len() <= MAX_NAMES => format!("it takes {}", names.join(", ")),
                    _ => format!("`hob catalog show {}` lists what it takes", operation.id),
                };
                let free = names.into_iter().filter(|name| call.with.get(name).is_none());
                found.push(context.suggest(diagnostic.help(help), key, free));
            }
        }
    }
}
