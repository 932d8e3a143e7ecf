//! Values of templates, as far as they can be inferred.

use std::collections::HashMap;
use std::ptr;

use super::Rule;
use super::maybe_missing::present;
use crate::catalog::Place;
use crate::check::context::Call;
use crate::check::result_shape::infer;
use crate::check::{Context, Position, TemplateSite};
use crate::diagnostic::{Code, Diagnostic};
use crate::template::{
    Class, Conflict, ConflictKind, Inferred, LocatedTemplate, Need, PathStep, TemplateTree, TreeShape, Use,
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
                let diagnostic = conflicting(site, conflict);
                // Operands that are paths are compared by another rule.
                let is_order = matches!(conflict.kind, ConflictKind::Unordered { .. });
                if !is_order || !found.iter().any(|other| other.span == diagnostic.span) {
                    found.push(diagnostic);
                }
            }
            if let Some(target) = targets.get(&ptr::from_ref(site.template)) {
                found.extend(
                    misfits(site, target, &inference.value)
                        .or_else(|| maybe_null(context, site, target, &inference.value)),
                );
            }
            if matches!(site.position, Position::Step { part: crate::check::StepPart::List, .. }) {
                found.extend(no_list(site, &inference.value));
            }
        }
    }
}

/// What a template's value is for.
struct Target<'a> {
    /// The input, with the field in it.
    name: String,
    shape: &'a Shape,
    /// The request cannot be sent without it.
    required: bool,
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
            add(&mut targets, key.value.clone(), tree, input.shape, required);
        }
    }
    targets
}

fn add<'a>(
    targets: &mut Targets<'a>,
    name: String,
    tree: &'a TemplateTree,
    shape: &'a Shape,
    required: bool,
) {
    match &tree.shape {
        TreeShape::Text(template) => {
            targets.insert(ptr::from_ref(template), Target { name, shape, required });
        }
        TreeShape::List(items) if shape.any_of.is_empty() => {
            if let Some(inner) = &shape.items {
                items.iter().for_each(|item| add(targets, name.clone(), item, inner, false));
            }
        }
        TreeShape::Map(entries) if shape.any_of.is_empty() => {
            for (key, value) in entries {
                if let Some(inner) = shape.field(key) {
                    add(targets, format!("{name}.{}", key.value), value, inner, false);
                }
            }
        }
        _ => {}
    }
}

/// What the input does not take of all that the value may be.
fn misfits(site: &TemplateSite<'_>, target: &Target<'_>, value: &Inferred<'_>) -> Option<Diagnostic> {
    let Target { name, shape, required } = target;
    let alternatives = value.alternatives();
    if *required && !shape.nullable && alternatives.iter().all(|one| one.is_null()) {
        let message = format!("`{name}` is needed, and this is always null");
        return Some(Diagnostic::new(Code::MissingParameter, site.template.span, message));
    }
    if *required && alternatives.iter().all(|one| **one == Inferred::Omitted) {
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
    let Target { name, shape, required: true } = target else { return None };
    let alternatives = value.alternatives();
    let lacking = alternatives.iter().find_map(|one| match one {
        Inferred::Constant(Value::Null) if !shape.nullable => Some("null"),
        Inferred::Constant(Value::String(text)) if text.is_empty() => Some("empty"),
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
    let known = present(context, site);
    let last = needs.last().filter(|_| alternatives.len() > 1)?;
    if needs.iter().any(|need| need.is_proven(need.steps.len(), &known)) || is_one_there(context, &needs) {
        return None;
    }
    let message = format!("`{name}` is needed, and this may be {lacking}");
    let help = format!("skip the step without it: `if: \"{{{{ {} }}}}\"`", last.path());
    Some(Diagnostic::new(Code::MaybeMissing, site.template.span, message).help(help))
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
        needs.iter().any(|other| (1..=other.steps.len()).any(|upto| skipped.contains(&other.path_to(upto))))
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
    let class = value.class().filter(|class| matches!(class, Class::Scalar | Class::Mapping))?;
    let message = format!("`for_each` takes a list, and this is {}", class.describe());
    Some(Diagnostic::new(Code::WrongType, site.template.span, message))
}

fn conflicting(site: &TemplateSite<'_>, conflict: &Conflict) -> Diagnostic {
    let place = site.template.place(conflict.range.clone());
    let told = |code, message: String| Diagnostic::new(code, place, message);
    match &conflict.kind {
        ConflictKind::Input { filter, takes, found } => {
            let message = format!("`{filter}` takes {takes}, and what is before it is {}", found.describe());
            told(Code::BadArgument, message).help(match found {
                Class::Mapping => "take one of its fields".to_owned(),
                Class::List if !takes.starts_with("a list") => {
                    format!("take one of its members, as with `| first`, or each: `| map('{filter}')`")
                }
                _ => "give it another value".to_owned(),
            })
        }
        ConflictKind::Unequal { left, right, negated } => {
            let always = if *negated { "true" } else { "false" };
            let message = format!(
                "{} is never equal to {}: this is always {always}",
                left.describe(),
                right.describe()
            );
            let help = match (left, right) {
                (Class::List, Class::Scalar) | (Class::Scalar, Class::List) => {
                    "ask for a member: `{{ 'vip' in event.tags }}`, or whether there is none: `{{ not event.tags }}`"
                }
                _ => "ask whether there is something in it: `{{ steps.found }}`, `{{ not steps.found }}`",
            };
            told(Code::ConstantCondition, message).help(help)
        }
        ConflictKind::OmittedIfThere => {
            let message =
                "`and omit` leaves the input out where there is a value, and sends what counts as false";
            told(Code::Suspicious, message.to_owned())
                .help("write `… or omit` to leave it out where there is none")
        }
        ConflictKind::NotANumber { negated } => {
            let always = if *negated { "true" } else { "false" };
            let message = format!("a number is never equal to a text that is none: this is always {always}");
            told(Code::ConstantCondition, message).help("compare it with a number")
        }
        ConflictKind::OtherWord { name, known } => {
            let words: Vec<String> = known.iter().map(|word| format!("`{word}`")).collect();
            let message = format!("this is never `{name}`: it is one of {}", words.join(", "));
            told(Code::ConstantCondition, message)
                .suggest(name, known.iter().map(String::as_str))
                .without_fix()
        }
        ConflictKind::ContainsNothing { field: Some(field), .. } => {
            let message =
                format!("there is no field `{field}` in this mapping, so that it never contains it");
            told(Code::ConstantCondition, message)
                .help("ask in one of its fields: `{{ 'vip' in event.tags }}`")
        }
        ConflictKind::ContainsNothing { .. } => {
            let message = "a text never contains a list or a mapping";
            told(Code::ConstantCondition, message.to_owned())
                .help("ask the other way round: `{{ 'vip' in event.tags }}`")
        }
        ConflictKind::Member { filter, found } => {
            let message =
                format!("`{filter}` makes text of the members of a list, and one of them is {found}");
            told(Code::BadArgument, message).help("take one of its fields")
        }
        ConflictKind::NoFieldName { filter } => {
            let message = format!("`{filter}` takes the name of a field, as text");
            told(Code::BadArgument, message).help(format!("as in `| {filter}('name', 'eq', 'value')`"))
        }
        ConflictKind::NullInput { filter } => {
            let message =
                format!("`{filter}` fails on null, which `default(none)` gives it where there is no value");
            told(Code::MaybeMissing, message)
                .help(format!("give another default, or put `{filter}` first and `| default(none)` last"))
        }
        ConflictKind::Argument { message, help } => {
            let diagnostic = told(Code::BadArgument, message.clone());
            match help {
                Some(help) => diagnostic.help(help.clone()),
                None => diagnostic,
            }
        }
        ConflictKind::TextAndNumber { operator } => {
            let message = match *operator {
                "+" => "`+` adds numbers or joins texts, and this is text and a number".to_owned(),
                operator => format!("`{operator}` takes numbers, and this is text"),
            };
            told(Code::Suspicious, message)
                .help("join texts with `~`, as in `a ~ b`; make a number of text with `| number`")
        }
        ConflictKind::Unordered { found } => {
            let message = format!("there is no order for {found}");
            let help = if *found == Class::List.describe() {
                "compare its number of members: `… | length > 0`"
            } else {
                "there is an order among numbers, among texts and among times"
            };
            told(Code::Suspicious, message).help(help)
        }
        ConflictKind::NoTest { filter } => {
            let message = format!("`{filter}` takes the name of a test, as text");
            told(Code::BadArgument, message).help(format!("as in `| {filter}('eq', 'value')`"))
        }
        ConflictKind::NeverAbsent { filter } => {
            let message =
                format!("`e164` fails where there is no valid number, so that `{filter}` comes too late");
            told(Code::Suspicious, message)
                .help("give `e164` the argument `strict=false`, with which it gives null")
        }
        ConflictKind::NoField { name, known } => {
            let message = format!("the members of this list have no field `{name}`");
            let diagnostic = told(Code::UnknownResultField, message);
            let names = known.iter().map(String::as_str);
            diagnostic
                .help(format!("they have {}", crate::diagnostic::list_some(names.clone())))
                .suggest(name, names)
        }
    }
}
