//! Values that may be missing but are used as if always present.

use std::ptr;

use super::Rule;
use crate::catalog::Place;
use crate::check::proven::present;
use crate::check::result_shape::{Known, origin};
use crate::check::{Context, Position, StepPart, TemplateSite};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::recipe::{Action, OnError, OnMissing};
use crate::template::{LocatedTemplate, Need, PathStep, Present, TemplateTree, TreeShape};

/// Warns of fields that may be null or missing, and of results of steps that may be skipped, unless a condition
/// ensures that they exist.
pub struct Guarded;

impl Rule for Guarded {
    fn summary(&self) -> &'static str {
        "A field that may be missing, and the result of a step that may be skipped, is used only where a condition or `default` makes sure of it."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        for site in &context.sites {
            let condition =
                matches!(site.position, Position::When | Position::Step { part: StepPart::Condition, .. });
            let span = site.template.span;
            let wrong = |other: &Diagnostic| {
                let within = span.start <= other.span.start && other.span.end <= span.end;
                within && other.code.severity() == Severity::Error
            };
            if found.iter().any(wrong) {
                continue;
            }
            let present = present(context, &site.position);
            let mut told: Vec<String> = Vec::new();
            for need in site.template.needs(condition) {
                if let Some((path, diagnostic)) = complaint(context, site, &need, &present)
                    && !told.contains(&path)
                {
                    told.push(path);
                    found.push(diagnostic);
                }
            }
        }
    }
}

/// The part of the path that may be missing, and the message about it.
fn complaint(
    context: &Context<'_>,
    site: &TemplateSite<'_>,
    need: &Need,
    present: &Present,
) -> Option<(String, Diagnostic)> {
    let place = site.template.place(need.range.clone());
    if let Some(skipped) = skipped(context, site, need, present) {
        let path = format!("steps.{}", skipped.id);
        let message = format!("the step `{}` may be skipped: then `{path}` is null", skipped.id);
        let help = match &skipped.condition {
            Some(condition) => {
                format!(
                    "give this step the same `if: \"{}\"`, or use `| default(…)`",
                    condition.text().trim()
                )
            }
            None if is_needed(context, site) => format!("ask first: `if: \"{{{{ {path} }}}}\"`"),
            None => format!("ask first: `if: \"{{{{ {path} }}}}\"`, or use `| {}`", otherwise(site)),
        };
        return Some((path, Diagnostic::new(Code::MaybeMissing, place, message).help(help)));
    }
    if let Some(path) = unreached(context, site, need, present) {
        let message = format!("`{path}` may be missing: the run may have failed before it was there");
        let help = format!("ask first: `if: \"{{{{ {path} }}}}\"`, or use `({path} if {path} else …)`");
        return Some((path, Diagnostic::new(Code::MaybeMissing, place, message).help(help)));
    }
    let (known, taken) = origin(context, &site.position, &need.root, &need.steps, 0)?;
    let otherwise = if is_needed(context, site) { None } else { Some(otherwise(site)) };
    let (path, message, help) = match lacking(known, taken, need, present)? {
        Missing::Value(upto) => {
            let (path, whole) = (need.path_to(upto), need.path());
            let help = remedy(&whole, otherwise, &path);
            (path.clone(), format!("`{path}` may be missing or null"), help)
        }
        Missing::Member(upto) => {
            let (list, member) = (need.path_to(upto - 1), need.path());
            let help = remedy(&member, otherwise, &list);
            (list.clone(), format!("`{list}` may be an empty list, which has no members"), help)
        }
        Missing::Letter(upto) => {
            let (text, letter) = (need.path_to(upto - 1), need.path());
            let help = remedy(&letter, otherwise, &text);
            (text.clone(), format!("`{text}` may be an empty text, which has no first letter"), help)
        }
    };
    Some((path, Diagnostic::new(Code::MaybeMissing, place, message).help(help)))
}

/// What to do about a value that may be missing: another value, unless it is needed, or a condition.
fn remedy(value: &str, otherwise: Option<&str>, asked: &str) -> String {
    match otherwise {
        Some(otherwise) => {
            format!("write `{value} | {otherwise}`, or ask first: `if: \"{{{{ {asked} }}}}\"`")
        }
        None => format!("ask first: `if: \"{{{{ {asked} }}}}\"`"),
    }
}

/// Whether it is the whole value of an input of a step that cannot be left out.
fn is_needed(context: &Context<'_>, site: &TemplateSite<'_>) -> bool {
    let is_step = matches!(site.position, Position::Step { part: StepPart::Input, .. });
    is_step
        && context.known_calls().any(|(call, operation)| {
            call.inputs().iter().any(|(key, tree)| {
                let is_it =
                    matches!(&tree.shape, TreeShape::Text(template) if ptr::eq(template, site.template));
                let input = operation.input(key).filter(|_| is_it && site.template.is_whole());
                input.is_some_and(|input| input.shape.required || input.place == Some(Place::Path))
            })
        })
}

/// What may be missing, as the number of path steps that lead to it.
enum Missing {
    /// A value that may be null or missing.
    Value(usize),
    /// An item of a list that may be empty.
    Member(usize),
    /// A letter of a text that may be empty.
    Letter(usize),
}

/// The advice for a value that may be missing: an input can be omitted as a whole.
fn otherwise(site: &TemplateSite<'_>) -> &'static str {
    let input = matches!(
        site.position,
        Position::Step { part: StepPart::Input, .. } | Position::PollInput | Position::ParentInput
    );
    match (site.template.is_whole(), input) {
        (true, true) => "default(omit)",
        (true, false) => "default(none)",
        (false, _) => "default('…')",
    }
}

/// The step whose result the path needs, if it may be skipped.
fn skipped<'c>(
    context: &'c Context<'_>,
    site: &TemplateSite<'_>,
    need: &Need,
    present: &Present,
) -> Option<&'c Action> {
    let Position::Step { action, after_failure: false, .. } = site.position else { return None };
    let ("steps", [PathStep::Field(id), rest @ ..]) = (need.root.as_str(), need.steps.as_slice()) else {
        return None;
    };
    let step = context.recipe.actions.iter().find(|step| step.id == *id)?;
    // Null is fine in a test for presence, and `for_each` reports it for lists.
    let may_be_gone = step.on_missing == OnMissing::Continue;
    let harmless = need.tolerant && (rest.is_empty() || may_be_gone && rest.len() == 1);
    let harmless = harmless || need.beside_null && rest.is_empty();
    if harmless || step.for_each.is_some() || need.is_proven(1, present) {
        return None;
    }
    let text = |action: &Action| action.condition.as_ref().map(|text| text.text().trim().to_owned());
    let known: Present = need.present.union(present).cloned().collect();
    let follows = |condition: &LocatedTemplate| text(action) == text(step) || condition.follows_from(&known);
    let left_out = step.condition.as_ref().is_some_and(|condition| !follows(condition));
    let may = left_out || step.on_error == OnError::Continue || may_be_gone;
    may.then_some(step)
}

/// What `on_failure` reads and a run that failed early does not have: a variable, or the result of a step.
fn unreached(
    context: &Context<'_>,
    site: &TemplateSite<'_>,
    need: &Need,
    present: &Present,
) -> Option<String> {
    let Position::Step { after_failure: true, .. } = site.position else { return None };
    let [PathStep::Field(name), rest @ ..] = need.steps.as_slice() else { return None };
    if need.tolerant && rest.is_empty() || need.is_proven(1, present) {
        return None;
    }
    let recipe = context.recipe;
    let may_fail = match need.root.as_str() {
        "vars" => context.unread_event.is_some() || recipe.vars.values().any(has_expressions),
        "steps" => recipe.actions.iter().any(|step| step.id == *name),
        _ => false,
    };
    may_fail.then(|| need.path_to(1))
}

fn has_expressions(tree: &TemplateTree) -> bool {
    tree.templates().iter().any(|template| !template.is_literal())
}

/// The part of the path that may be missing.
fn lacking(known: Known<'_>, taken: usize, need: &Need, present: &Present) -> Option<Missing> {
    let nullable = |known: &Known<'_>| known.may_be_null();
    let mut known = known;
    let last = need.steps.len();
    // A result that is null as a whole, such as a record that was not found.
    if nullable(&known)
        && (taken > 0 || known.has_gaps())
        && (taken < last || !need.tolerant && !need.beside_null)
        && !need.is_proven(taken, present)
    {
        return Some(Missing::Value(taken));
    }
    for upto in taken + 1..=last {
        let asked_only = upto == last && need.tolerant;
        let member = need.steps[upto - 1] == PathStep::Item && known.is_list();
        if member && !asked_only && !need.is_filled(upto - 1, present) {
            return Some(Missing::Member(upto));
        }
        if need.steps[upto - 1] == PathStep::Item
            && known.is_text()
            && !asked_only
            && !need.is_filled(upto - 1, present)
        {
            return Some(Missing::Letter(upto));
        }
        known = known.step(&need.steps[upto - 1]).ok()??;
        if nullable(&known) && !asked_only && !need.is_proven(upto, present) {
            return Some(Missing::Value(upto));
        }
    }
    None
}
