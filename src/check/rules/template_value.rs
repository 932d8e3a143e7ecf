//! Values of templates, as far as they can be inferred.

use std::collections::HashMap;
use std::ptr;

use super::Rule;
use super::conflict_told::{ABSENT_MEMBERS, INSTEAD, LEAVE_OUT, NO_ENTRY, conflicting};
use crate::catalog::Place;
use crate::check::context::Call;
use crate::check::input_mismatch::mismatch;
use crate::check::proven::present;
use crate::check::result_shape::infer;
use crate::check::{Context, Position, TemplateSite};
use crate::diagnostic::{Code, Diagnostic};
use crate::template::{
    Class, ConflictKind, Inferred, LocatedTemplate, Need, PathStep, TemplateTree, TreeShape, Use,
};
use crate::value::{Kind, ProblemKind, Shape, Value};

/// Templates come to what their inputs take, and contain nothing that can never work.
pub struct TemplateValues;

impl Rule for TemplateValues {
    fn summary(&self) -> &'static str {
        "A template comes to what its input takes, and its filters and comparisons get what they can work on, as far as its value is known."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        let targets = targets(context);
        for site in &context.sites {
            let Some(inference) = infer(context, &site.position, site.template) else { continue };
            for conflict in &inference.conflicts {
                let part = site.template.text().get(conflict.range.clone()).unwrap_or_default();
                if conflict.kind == ConflictKind::MaybeNoEntry && is_asked(site, part) {
                    continue;
                }
                let diagnostic = conflicting(site, conflict);
                // Operands that are paths are compared by another rule.
                let is_order = matches!(conflict.kind, ConflictKind::Unordered { .. });
                if !is_order || !found.iter().any(|other| other.span == diagnostic.span) {
                    found.push(diagnostic);
                }
            }
            let condition = matches!(
                site.position,
                Position::When | Position::Step { part: crate::check::StepPart::Condition, .. }
            );
            if !condition && inference.value.alternatives().contains(&&Inferred::Absent) {
                let looks_up = ends_with_key(site.template.text());
                let message = if looks_up { NO_ENTRY } else { "this list may have no members" };
                if !looks_up || !is_asked(site, expression_of(site.template.text())) {
                    found
                        .push(Diagnostic::new(Code::MaybeMissing, site.template.span, message).help(INSTEAD));
                }
            }
            if inference.value.may_lack_members() {
                let found_there = Diagnostic::new(Code::MaybeMissing, site.template.span, ABSENT_MEMBERS);
                found.push(found_there.help(LEAVE_OUT));
            }
            if let Some(target) = targets.get(&ptr::from_ref(site.template)) {
                found.extend(
                    misfits(site, target, &inference.value)
                        .or_else(|| maybe_null(context, site, target, &inference.value))
                        .or_else(|| doubtful(site, target, &inference.value)),
                );
            }
            if matches!(site.position, Position::Step { part: crate::check::StepPart::List, .. }) {
                found.extend(no_list(site, &inference.value));
            }
        }
    }
}

/// Whether the condition of the step asks for this part of a template.
fn is_asked(site: &TemplateSite<'_>, part: &str) -> bool {
    let Position::Step { action, .. } = site.position else { return false };
    action.condition.as_ref().is_some_and(|condition| !part.is_empty() && condition.text().contains(part))
}

/// What stands between the braces.
fn expression_of(text: &str) -> &str {
    text.trim().trim_start_matches(['{', '-']).trim_end_matches(['}', '-']).trim()
}

/// Whether a template ends with a computed key in brackets.
fn ends_with_key(text: &str) -> bool {
    let end = expression_of(text).strip_suffix(']').and_then(|text| text.rsplit_once('['));
    end.is_some_and(|(_, key)| key.trim().parse::<i64>().is_err())
}

/// What a template's value is for.
struct Target<'a> {
    /// The input, with the field in it.
    name: String,
    shape: &'a Shape,
    /// The request cannot be sent without it.
    required: bool,
    /// It is a member of a list.
    member: bool,
}

type Targets<'a> = HashMap<*const LocatedTemplate, Target<'a>>;

/// The templates that are the value of an input, or of a part of one.
fn targets<'a>(context: &'a Context<'_>) -> Targets<'a> {
    let mut targets = HashMap::new();
    for (call, operation) in context.known_calls() {
        let call: &Call<'_> = call;
        for (key, tree) in call.inputs() {
            let Some(input) = operation.input(key) else { continue };
            let required = input.shape.required || input.place == Some(Place::Path);
            let target = Target { name: key.value.clone(), shape: input.shape, required, member: false };
            add(&mut targets, target, tree);
        }
    }
    targets
}

fn add<'a>(targets: &mut Targets<'a>, target: Target<'a>, tree: &'a TemplateTree) {
    let shape = target.shape;
    match &tree.shape {
        TreeShape::Text(template) => drop(targets.insert(ptr::from_ref(template), target)),
        TreeShape::List(items) if shape.any_of.is_empty() => {
            let Some(shape) = shape.items.as_deref() else { return };
            // Null is no member of a list of anything else.
            let required = shape.kind != Kind::Any;
            for item in items {
                add(targets, Target { name: target.name.clone(), shape, required, member: true }, item);
            }
        }
        TreeShape::Map(entries) if shape.any_of.is_empty() => {
            let mut given = entries.iter().filter(|(key, _)| shape.one_of.contains(&key.value));
            let only = given.next().filter(|_| given.next().is_none()).map(|(key, _)| &key.value);
            for (key, value) in entries {
                let Some(shape) = shape.field(key) else { continue };
                let name = format!("{}.{}", target.name, key.value);
                let required = shape.required || only == Some(&key.value);
                add(targets, Target { name, shape, required, member: false }, value);
            }
        }
        _ => {}
    }
}

/// What the input does not take of all that the value may be.
fn misfits(site: &TemplateSite<'_>, target: &Target<'_>, value: &Inferred<'_>) -> Option<Diagnostic> {
    let Target { name, shape, required, member } = target;
    let alternatives = value.alternatives();
    if *required && !shape.nullable && alternatives.iter().all(|one| one.is_null()) {
        let message = match member {
            true => format!("a member of `{name}` cannot be null, and this always is"),
            false => format!("`{name}` is needed, and this is always null"),
        };
        return Some(Diagnostic::new(Code::MissingParameter, site.template.span, message));
    }
    if *required && !member && alternatives.iter().all(|one| **one == Inferred::Omitted) {
        let message = format!("`{name}` is needed, and `omit` leaves it out");
        return Some(Diagnostic::new(Code::MissingParameter, site.template.span, message));
    }
    alternatives.into_iter().find_map(|one| misfit(site, target, one))
}

/// `default(none)` or `default('')` as the last resort of an input that the operation needs.
fn maybe_null(
    context: &Context<'_>,
    site: &TemplateSite<'_>,
    target: &Target<'_>,
    value: &Inferred<'_>,
) -> Option<Diagnostic> {
    let Target { name, shape, required: true, member } = target else { return None };
    let alternatives = value.alternatives();
    let lacking = alternatives.iter().find_map(|one| match one {
        Inferred::Constant(Value::Null) if !shape.nullable => Some("null"),
        Inferred::Omitted if !member => Some("left out"),
        Inferred::Constant(Value::String(text)) if text.is_empty() && !member => Some("empty"),
        _ => None,
    })?;
    let needs: Vec<Need> = site
        .template
        .uses()
        .iter()
        .filter_map(|used| match used {
            Use::Path { root, steps, .. } => Some(Need::of(root, steps)),
            _ => None,
        })
        .collect();
    if lacking == "null" && site.template.calls().iter().any(|call| call.finds_links()) {
        if asks_for(site) {
            return None;
        }
        let message = format!("`{name}` is needed, and this is null where there is no such link");
        let help = format!("skip the step without it: `if: \"{}\"`", site.template.text().trim());
        return Some(Diagnostic::new(Code::MaybeMissing, site.template.span, message).help(help));
    }
    let known = present(context, &site.position);
    let last = needs.last().filter(|_| alternatives.len() > 1)?;
    if needs.iter().any(|need| need.is_proven(need.steps.len(), &known)) || is_one_there(context, &needs) {
        return None;
    }
    let message = match member {
        true => format!("a member of `{name}` cannot be null, and this may be"),
        false => format!("`{name}` is needed, and this may be {lacking}"),
    };
    let help = format!("skip the step without it: `if: \"{{{{ {} }}}}\"`", last.path());
    Some(Diagnostic::new(Code::MaybeMissing, site.template.span, message).help(help))
}

/// Whether the step's condition is that there is this very value.
fn asks_for(site: &TemplateSite<'_>) -> bool {
    let Position::Step { action, .. } = site.position else { return false };
    let condition = action.condition.as_ref().map(|condition| condition.text().trim());
    condition == Some(site.template.text().trim())
}

/// What the value may be besides what the input takes.
fn doubtful(site: &TemplateSite<'_>, target: &Target<'_>, value: &Inferred<'_>) -> Option<Diagnostic> {
    let Target { name, shape, .. } = target;
    let what = mismatch(value, shape)?;
    let message = format!("`{name}` takes {}, and this may be {what}", shape.describe());
    let diagnostic = Diagnostic::new(Code::Suspicious, site.template.span, message);
    Some(match shape.kind {
        _ if !shape.values.is_empty() => {
            diagnostic.help("choose a word for each case: `{{ 'one' if event.status == 'x' else 'other' }}`")
        }
        Kind::Integer if what.contains("fraction") => diagnostic.help("round it: `| round`"),
        Kind::Integer | Kind::Number if what.contains("text") => {
            diagnostic.help("make a number of it: `| number`")
        }
        _ => diagnostic.help("send only what the input takes"),
    })
}

/// Whether one of these values is always there: where a step is skipped, its condition makes sure of another one.
fn is_one_there(context: &Context<'_>, needs: &[Need]) -> bool {
    needs.iter().any(|need| {
        let ("steps", Some(PathStep::Field(id))) = (need.root.as_str(), need.steps.first()) else {
            return false;
        };
        let Some(step) = context.recipe.all_actions().find(|step| step.id == *id) else { return false };
        let Some(condition) = &step.condition else { return false };
        let skipped = condition.proves(false);
        needs.iter().any(|other| (1..=other.steps.len()).any(|upto| other.is_proven(upto, &skipped)))
    })
}

fn misfit(site: &TemplateSite<'_>, target: &Target<'_>, value: &Inferred<'_>) -> Option<Diagnostic> {
    let Target { name, shape, .. } = target;
    let class = value.class().filter(|class| *class != Class::Null)?;
    if !takes(shape, class) {
        let message = format!("`{name}` takes {}, and this is {}", shape.describe(), class.describe());
        let diagnostic = Diagnostic::new(Code::WrongType, site.template.span, message);
        return Some(match (class, value) {
            (Class::Mapping, Inferred::Declared(found)) if found.fields.contains_key("id") => {
                diagnostic.help("take one of its fields, such as `id`")
            }
            (Class::Mapping, _) => diagnostic.help("take one of its fields"),
            (Class::List, _) if takes(shape, Class::Scalar) => diagnostic
                .help("take one of its members, as with `| first`, or make text of it: `| join(', ')`"),
            (Class::Scalar, _) if takes(shape, Class::List) => {
                diagnostic.help("make it a list: `[\"{{ … }}\"]`")
            }
            _ => diagnostic,
        });
    }
    let (Inferred::Constant(written @ Value::String(_)), true) = (value, is_plain(shape)) else {
        return None;
    };
    let problem = shape.check(written, &|_| false).into_iter().next()?;
    let ProblemKind::NotAllowed { allowed, found } = problem.kind else { return None };
    let (shown, found) = (shape.describe(), found.as_str()?.to_owned());
    let message = format!("`{name}` cannot be `{found}`");
    let diagnostic = Diagnostic::new(Code::NotAllowed, site.template.span, message);
    Some(diagnostic.help(format!("it is {shown}")).suggest(&found, allowed.iter().filter_map(Value::as_str)))
}

/// Whether its values are texts without alternatives.
fn is_plain(shape: &Shape) -> bool {
    shape.kind == Kind::String && shape.any_of.is_empty() && !shape.doubtful
}

/// Whether an input of this shape takes values of this class.
fn takes(shape: &Shape, class: Class) -> bool {
    if shape.doubtful {
        return true;
    }
    if !shape.any_of.is_empty() {
        return shape.any_of.iter().any(|shape| takes(shape, class));
    }
    match shape.kind {
        Kind::Any => true,
        Kind::Array => class == Class::List,
        Kind::Object => class == Class::Mapping,
        Kind::String | Kind::Integer | Kind::Number | Kind::Boolean => class == Class::Scalar,
    }
}

/// `for_each` over what is no list.
fn no_list(site: &TemplateSite<'_>, value: &Inferred<'_>) -> Option<Diagnostic> {
    let mut classes = value.alternatives().into_iter().filter_map(Inferred::class);
    let class = classes.find(|class| matches!(class, Class::Scalar | Class::Mapping))?;
    let message = format!("`for_each` takes a list, and this is {}", class.describe());
    Some(Diagnostic::new(Code::WrongType, site.template.span, message))
}
