//! Values that are something else than what an input takes: an e-mail address as an id, the id of another record.

use std::ptr;

use super::Rule;
use super::awkward_name::is_plain;
use crate::catalog::{Effect, Operation};
use crate::check::context::Call;
use crate::check::meaning::{Meaning, of_input, of_path, of_paths, of_template};
use crate::check::{Context, Position, TemplateSite};
use crate::diagnostic::{Code, Diagnostic};
use crate::recipe::Action;
use crate::template::{LocatedTemplate, PathStep};
use crate::value::time_in;

/// Inputs for ids, e-mail addresses, phone numbers and times get such values.
pub struct FittingValues;

impl Rule for FittingValues {
    fn summary(&self) -> &'static str {
        "An input for the id of a record, an e-mail address, a phone number or a time gets one, as far as it is known what a value is."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        found.extend(context.sites.iter().filter_map(|site| no_time(context, site)));
        for (call, operation) in context.known_calls() {
            for (key, tree) in call.inputs() {
                found.extend(match tree.as_template() {
                    Some(template) if template.is_literal() => {
                        literal(context, operation, key.as_str(), template)
                    }
                    Some(template) => complaint(context, call, operation, key.as_str(), template),
                    None => None,
                });
            }
        }
    }
}

/// What is no time, before a filter that reads one.
fn no_time(context: &Context<'_>, site: &TemplateSite<'_>) -> Option<Diagnostic> {
    let all = of_paths(context, site, site.template.time_paths());
    let is_none = |meaning: &Meaning<'_>| !matches!(meaning, Meaning::Time | Meaning::Word);
    let (path, given) = all.into_iter().find(|(_, meaning)| is_none(meaning))?;
    let place = site.template.place(path.range.clone());
    let message =
        format!("`{}` is {}, which is no time", &site.template.text()[path.range], given.describe());
    Some(Diagnostic::new(Code::Suspicious, place, message))
}

/// A written text that can hardly be what is wanted.
fn literal(
    context: &Context<'_>,
    operation: &Operation,
    name: &str,
    template: &LocatedTemplate,
) -> Option<Diagnostic> {
    let input = operation.input(name)?;
    let wanted = of_input(context, operation, &input)?;
    let text = template.text().trim();
    let reason = strange(&wanted, text)?;
    // Templates of other tools are told as such.
    if text.is_empty() || text.contains(['%', '{', '$', '<', '[', '#']) {
        return None;
    }
    let message = format!("`{name}` takes {}, and `{text}` {reason}", wanted.describe());
    let diagnostic = Diagnostic::new(Code::Suspicious, template.span, message);
    Some(match wanted {
        Meaning::Time => {
            diagnostic.help("times are written as in `2026-01-31T09:00:00Z`, days as in `2026-01-31`")
        }
        _ => diagnostic,
    })
}

/// Why a text can hardly be what is wanted.
fn strange(wanted: &Meaning<'_>, text: &str) -> Option<&'static str> {
    let is_time = || time_in(text).is_some() || text.bytes().all(|byte| byte.is_ascii_digit());
    let (reason, is_strange) = match wanted {
        Meaning::Email => ("is none", !text.contains('@') || text.contains(char::is_whitespace)),
        Meaning::Phone => ("has no digits", !text.contains(|c: char| c.is_ascii_digit())),
        Meaning::Id(_) => ("is none", text.contains('@') || text.contains(char::is_whitespace)),
        Meaning::Time => ("is none", !is_time()),
        Meaning::Name | Meaning::Word => return None,
    };
    is_strange.then_some(reason)
}

/// An empty text that takes the place of a missing value: a read would find anything.
fn empty(wanted: &Meaning<'_>, name: &str, template: &LocatedTemplate) -> Option<Diagnostic> {
    let is_empty = template.value_texts().iter().any(String::is_empty);
    if !is_empty || matches!(wanted, Meaning::Id(_)) {
        return None;
    }
    let message = format!("`{name}` takes {}, and this may be an empty text", wanted.describe());
    let diagnostic = Diagnostic::new(Code::Suspicious, template.span, message);
    Some(diagnostic.help("skip the step where there is no value, or give another default"))
}

fn complaint(
    context: &Context<'_>,
    call: &Call<'_>,
    operation: &Operation,
    name: &str,
    template: &LocatedTemplate,
) -> Option<Diagnostic> {
    let input = operation.input(name)?;
    let wanted = of_input(context, operation, &input)?;
    let site = context.sites.iter().find(|site| ptr::eq(site.template, template))?;
    let misplaced = of_template(context, site).into_iter().find(|(_, meaning)| meaning.is_never(&wanted));
    let Some((path, given)) = misplaced else {
        return if operation.effect == Effect::Read { empty(&wanted, name, template) } else { None };
    };
    let place = template.place(path.range.clone());
    let written = &template.text()[path.range];
    let message = format!("`{name}` takes {}, and `{written}` is {}", wanted.describe(), given.describe());
    let diagnostic = Diagnostic::new(Code::Suspicious, place, message);
    Some(match another(context, call, site, &wanted) {
        Some(path) => diagnostic.help(format!("`{path}` is one")),
        None => diagnostic,
    })
}

/// A value of an earlier step, or of the event, that is what is wanted.
fn another(
    context: &Context<'_>,
    call: &Call<'_>,
    site: &TemplateSite<'_>,
    wanted: &Meaning<'_>,
) -> Option<String> {
    let field = match wanted {
        Meaning::Id(_) => "id",
        Meaning::Email => "email",
        Meaning::Phone => "phone",
        Meaning::Time | Meaning::Name | Meaning::Word => return None,
    };
    let field = PathStep::Field(field.to_owned());
    let fits = |root: &str, steps: &[PathStep]| {
        let meanings = of_path(context, &site.position, root, steps, 0);
        let is_known = context.shape_at(&site.position, root, steps).is_some();
        is_known && !meanings.is_empty() && meanings.iter().all(|meaning| meaning.is_one_of(wanted))
    };
    let Position::Step { index, after_failure: false, .. } = site.position else { return None };
    let is_named = |action: &&Action| call.action.is_some() && is_plain(&action.id);
    let earlier = context.recipe.actions.iter().take(index).filter(is_named);
    let of_steps = earlier.map(|action| {
        (format!("steps.{}.", action.id), "steps", vec![PathStep::Field(action.id.clone()), field.clone()])
    });
    let of_event = [("event.".to_owned(), "event", vec![field.clone()])];
    let mut all: Vec<_> = of_steps.chain(of_event).collect();
    if !matches!(wanted, Meaning::Id(_)) {
        all.reverse();
    }
    let (path, ..) = all.into_iter().find(|(_, root, steps)| fits(root, steps))?;
    Some(path + field.field().unwrap_or_default())
}
