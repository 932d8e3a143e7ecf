//! Conditions that can be true or false.

use super::Rule;
use crate::check::result_shape::path_shape;
use crate::check::{Context, Position, StepPart, TemplateSite};
use crate::diagnostic::{Code, Diagnostic};
use crate::template::{Constant, Use, truthy};

/// Warns of conditions, and parts of them, that are always true or always false.
pub struct OpenConditions;

impl Rule for OpenConditions {
    fn summary(&self) -> &'static str {
        "No condition, and no part of one, is always true or always false because of how it is written."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        for site in &context.sites {
            let whole =
                matches!(site.position, Position::When | Position::Step { part: StepPart::Condition, .. });
            let constants = site.template.constants(whole);
            found.extend(constants.iter().map(|constant| complaint(site, constant)));
            if whole && constants.is_empty() {
                found.extend(words(context, site).or_else(|| whole_event(site)));
            }
        }
    }
}

fn complaint(site: &TemplateSite<'_>, constant: &Constant) -> Diagnostic {
    let part = &site.template.text()[constant.range.clone()];
    let message = match constant.settles {
        true => format!("the condition is always {}, because of `{part}`", constant.holds),
        false => format!("`{part}` in the condition is always {}", constant.holds),
    };
    let diagnostic =
        Diagnostic::new(Code::ConstantCondition, site.template.place(constant.range.clone()), message);
    match (&constant.meant, part.starts_with(['\'', '"'])) {
        (Some(meant), _) => diagnostic.help(format!("did you mean `{meant}`?")),
        (None, true) => diagnostic.help("a text that is not compared with anything counts as true"),
        (None, false) => diagnostic.help("leave it out, or compare it with something"),
    }
}

/// `{{ event }}`: there always is one.
fn whole_event(site: &TemplateSite<'_>) -> Option<Diagnostic> {
    let [Use::Path { root, steps, range, .. }, rest @ ..] = site.template.uses() else { return None };
    let is_default =
        |used: &Use| matches!(used, Use::Filter { name, .. } if ["default", "d"].contains(&name.as_str()));
    let inner = site.template.text().trim().trim_start_matches("{{").trim_end_matches("}}").trim();
    let after = inner.trim_start_matches("not ").trim_start().strip_prefix("event")?.trim_start();
    let alone = after.is_empty() || after.starts_with('|');
    if root != "event" || !steps.is_empty() || !alone || !rest.iter().all(is_default) {
        return None;
    }
    let message = "`event` is the whole event, which counts as true";
    let diagnostic = Diagnostic::new(Code::ConstantCondition, site.template.place(range.clone()), message);
    Some(diagnostic.help("ask for one of its fields, as in `event.email`"))
}

/// A field of which every possible value is a text that counts as true.
fn words(context: &Context<'_>, site: &TemplateSite<'_>) -> Option<Diagnostic> {
    let [Use::Path { root, steps, guarded: false, range }] = site.template.uses() else { return None };
    let inner = site.template.text().trim().trim_start_matches("{{").trim_end_matches("}}").trim();
    let path = site.template.text().get(range.clone())?;
    let shape = path_shape(context, &site.position, root, steps)?.shape()?;
    let texts = !shape.nullable && shape.values.iter().all(|value| value.is_string() && truthy(value));
    let (Some(first), true, true) = (shape.values.first(), texts, inner == path) else { return None };
    let message = format!("`{path}` is {}: each of them counts as true", shape.describe());
    let help = format!("compare it: `{path} == '{}'`", first.as_str()?);
    Some(Diagnostic::new(Code::ConstantCondition, site.template.place(range.clone()), message).help(help))
}
