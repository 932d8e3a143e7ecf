//! Operations exist and are used where they can be.

use super::Rule;
use super::operation_name::{construct, meant};
use crate::catalog::Operation;
use crate::check::Context;
use crate::diagnostic::{Code, Diagnostic, Fix, closest};

/// Every operation exists and can be used in its place.
pub struct KnownOperation;

impl Rule for KnownOperation {
    fn summary(&self) -> &'static str {
        "Every operation is in the catalog; `poll` takes pollers, `do` takes actions."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        for call in &context.calls {
            let (name, polls) = (call.name, call.action.is_none());
            let fits = |operation: &Operation| match polls {
                true => operation.is_poller(),
                false => operation.is_action(),
            };
            let diagnostic = match call.operation {
                // An empty name represents a missing one, which was reported.
                None if name.is_empty() && context.recipe.is_broken() => continue,
                Some(operation) if fits(operation) => continue,
                None => unknown(context, name, name.span, &fits),
                Some(_) if polls => {
                    let message = format!("`{name}` cannot be polled");
                    let near = pollers_near(context, name);
                    Diagnostic::new(Code::WrongOperationKind, name.span, message).help(
                        match near.as_slice() {
                            [] => "`hob catalog list --kind poller` lists what can".to_owned(),
                            near => format!("what can be polled there: {}", near.join(", ")),
                        },
                    )
                }
                Some(_) => {
                    let message = format!("`{name}` is for `poll`, not for `do`");
                    Diagnostic::new(Code::WrongOperationKind, name.span, message)
                }
            };
            found.push(diagnostic);
        }
    }
}

fn unknown(
    context: &Context<'_>,
    name: &str,
    span: crate::source::Span,
    fits: &dyn Fn(&Operation) -> bool,
) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(Code::UnknownOperation, span, format!("no operation is called `{name}`"))
            .help("`hob catalog list` lists all of them");
    if let Some(help) = construct(name) {
        return diagnostic.help(help);
    }
    let usable = context.catalog.operations().filter(|operation| fits(operation));
    if !context.may_suggest() {
        return diagnostic;
    }
    let near = closest(name, usable.map(|operation| operation.id.as_str()));
    let meant = match &near {
        Some(near) if near.is_clear() => Vec::new(),
        _ => meant(context, name, fits),
    };
    match meant.as_slice() {
        [] => near.iter().fold(diagnostic, |diagnostic, near| diagnostic.meant(name, near)),
        [one] => {
            let fix = Fix::rename(span, name, one).map(Fix::suggested);
            diagnostic.help(format!("did you mean `{one}`?")).fix(fix)
        }
        [several @ .., last] => {
            let several: Vec<String> = several.iter().map(|id| format!("`{id}`")).collect();
            diagnostic.help(format!("did you mean {} or `{last}`?", several.join(", ")))
        }
    }
}

/// Pollers of the same group: with the same first word.
fn pollers_near(context: &Context<'_>, name: &str) -> Vec<String> {
    let group = name.split('.').next().unwrap_or(name);
    let near = |operation: &&str| operation.split('.').next() == Some(group);
    let pollers = context.catalog.operations().filter(|operation| operation.is_poller());
    pollers.map(|operation| operation.id.as_str()).filter(near).take(5).map(|id| format!("`{id}`")).collect()
}
