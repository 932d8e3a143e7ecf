//! Where `omit` is allowed.

use super::Rule;
use crate::catalog::{Operation, Place};
use crate::check::context::Call;
use crate::check::{Context, Position, StepPart, TemplateSite};
use crate::diagnostic::{Code, Diagnostic};
use crate::template::Use;

/// `omit` omits inputs, and only optional ones.
pub struct OmitsInputs;

impl Rule for OmitsInputs {
    fn summary(&self) -> &'static str {
        "`omit` is the whole value of an input, and not of one that the operation needs."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        for site in &context.sites {
            for used in site.template.uses() {
                let Use::Omit { whole: true, range } = used else { continue };
                if let Some((message, help)) = misplaced(context, site) {
                    let place = site.template.place(range.clone());
                    found.push(Diagnostic::new(Code::NotAllowed, place, message).help(help));
                }
            }
        }
        for (call, operation) in context.known_calls() {
            needed(context, call, operation, found);
        }
    }
}

/// Why `omit` cannot be the value of the template, and what to write instead.
fn misplaced(context: &Context<'_>, site: &TemplateSite<'_>) -> Option<(&'static str, &'static str)> {
    match site.position {
        Position::Step { part: StepPart::Input, .. } | Position::PollInput | Position::ParentInput
            if site.template.is_whole() =>
        {
            None
        }
        Position::Step { part: StepPart::Input, .. } | Position::PollInput | Position::ParentInput => {
            let help = "let one `{{ … }}` be the whole value, or use `default('')`";
            Some(("`omit` leaves out a whole input, and here it stands inside text", help))
        }
        Position::Variable(index) => {
            let (_, tree) = context.recipe.vars.get_index(index)?;
            let itself = tree.as_template().is_some_and(|template| template.span == site.template.span);
            let help = "write `default(none)` here and `default(omit)` where the variable is an input";
            itself.then_some(("`omit` leaves out an input, and a variable has a value", help))
        }
        _ => {
            Some(("`omit` leaves out an input of `with`, and here a value is needed", "use `default(none)`"))
        }
    }
}

/// Required inputs that are, or may be, omitted.
fn needed(context: &Context<'_>, call: &Call<'_>, operation: &Operation, found: &mut Vec<Diagnostic>) {
    let filled = |name: &str| {
        context.connector_of(operation).is_some_and(|connector| {
            let fills = |setting: &crate::catalog::Setting| setting.fills.iter().any(|filled| filled == name);
            connector.constants.contains_key(name) || connector.settings.values().any(fills)
        })
    };
    for (key, tree) in call.inputs() {
        let needs =
            |input: crate::catalog::Input<'_>| input.shape.required || input.place == Some(Place::Path);
        if !operation.input(key).is_some_and(needs) || filled(key) {
            continue;
        }
        let Some(template) = tree.as_template().filter(|template| template.is_whole()) else { continue };
        for used in template.uses() {
            if let Use::Omit { whole: true, range } = used {
                let message = format!("`{}` needs `{key}`, and `omit` may leave it out", operation.id);
                let help = "give it another value, or skip the step with `if`";
                let place = template.place(range.clone());
                found.push(Diagnostic::new(Code::Suspicious, place, message).help(help));
            }
        }
    }
}
