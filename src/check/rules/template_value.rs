//! Values of templates, as far as they can be inferred.

use std::collections::HashMap;
use std::ptr;

use super::Rule;
use crate::catalog::Place;
use crate::check::context::Call;
use crate::check::input_mismatch::mismatch;
use crate::check::proven::present;
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
            let condition = matches!(
                site.position,
                Position::When | Position::Step { part: crate::check::StepPart::Condition, .. }
            );
            if !condition && inference.value.alternatives().contains(&&Inferred::Absent) {
                let message = "this list may have no members";
                let help = "give a value for that case: `| default('…')`";
                found.push(Diagnostic::new(Code::MaybeMissing, site.template.span, message).help(help));
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
    let mut classes = value.alternatives().into_iter().filter_map(Inferred::class);
    let class = classes.find(|class| matches!(class, Class::Scalar | Class::Mapping))?;
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
        ConflictKind::MaybeNull { filter } => {
            let message = format!("`{filter}` fails on null, which this may be");
            told(Code::MaybeMissing, message).help(match filter.starts_with(char::is_alphabetic) {
                true => format!("put a default before it: `| default('…') | {filter}`"),
                false => "give it a default in brackets: `(… | default(0))`".to_owned(),
            })
        }
        ConflictKind::NullMember { filter } => {
            let message = format!("`{filter}` fails on members that are null, which some may be");
            told(Code::MaybeMissing, message).help(format!("leave those out first: `| compact | {filter}`"))
        }
        ConflictKind::Misread { filter, takes, found } => {
            let message = format!("`{filter}` takes {takes}, and this is {found}");
            told(Code::BadArgument, message).help("give it another value")
        }
        ConflictKind::Unsearchable { found } => {
            let message = format!("`in` looks into a list, a mapping or text, and this is {found}");
            told(Code::Suspicious, message).help("compare single values with `==`")
        }
        ConflictKind::NoNumber { operator, found } => {
            let message = format!("`{operator}` takes numbers, and this is {}", found.describe());
            told(Code::Suspicious, message).help("count its members: `… | length`; or take one of its fields")
        }
        ConflictKind::MaybeAbsent => told(Code::MaybeMissing, "this list may have no members".to_owned())
            .help("give a value for that case: `| default('…')`"),
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
