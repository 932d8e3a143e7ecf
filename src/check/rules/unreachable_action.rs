//! Steps that can run.

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Code, Diagnostic};
use crate::recipe::Action;
use crate::template::{LocatedTemplate, Present};

/// Warns of steps that never run, because of their condition or of what is before them.
pub struct ReachableSteps;

impl Rule for ReachableSteps {
    fn summary(&self) -> &'static str {
        "Every step can run: the run does not always end before it, and its `if` is not the opposite of what is known by then."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        if let Some(when) = context.recipe.when.as_ref().filter(|when| is_word(when, "false")) {
            let message = "no event comes through: `when` is false";
            let help = "`hob pause RECIPE` stops a recipe for a while";
            found.push(Diagnostic::new(Code::Unreachable, when.span, message).help(help));
        }
        for steps in [&context.recipe.actions, &context.recipe.on_failure] {
            check_steps(context, steps, found);
        }
    }
}

fn check_steps(context: &Context<'_>, steps: &[Action], found: &mut Vec<Diagnostic>) {
    let mut known = Present::new();
    if let Some(when) = context.recipe.when.as_ref().filter(|when| when.asks_for_paths()) {
        known.extend(when.proves(true));
    }
    for (index, step) in steps.iter().enumerate() {
        if let Some(condition) = &step.condition {
            let message = match () {
                () if is_word(condition, "false") => {
                    Some("this step never runs: its `if` is false".to_owned())
                }
                () if condition.contradicts(&known) => Some(format!(
                    "this step never runs: by then, `{}` is known to be false",
                    condition.text().trim()
                )),
                () => None,
            };
            if let Some(message) = message {
                let diagnostic = Diagnostic::new(Code::Unreachable, condition.span, message);
                found.push(diagnostic.help("leave the step out, or change its `if`"));
                continue;
            }
        }
        if !context.ends_run(step) {
            continue;
        }
        match &step.condition {
            Some(condition) if !is_word(condition, "true") => {
                if condition.asks_for_paths() {
                    known.extend(condition.proves(false));
                }
            }
            _ => {
                if let Some(next) = steps.get(index + 1) {
                    let line = context.recipe.file.position(step.span.start).line;
                    let message =
                        format!("this step never runs: the run ends with the `stop` on line {line}");
                    let diagnostic = Diagnostic::new(Code::Unreachable, next.operation.span, message);
                    found.push(diagnostic.help("give that `stop` an `if`, or leave out what comes after it"));
                }
                return;
            }
        }
    }
}

fn is_word(condition: &LocatedTemplate, word: &str) -> bool {
    condition.is_literal() && condition.text().trim() == word
}
