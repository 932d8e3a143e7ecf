//! Fields that results have.

use super::Rule;
use super::foreign_name::WRAPPERS;
use crate::check::result_shape::{InvalidStep, origin};
use crate::check::{Context, TemplateSite};
use crate::diagnostic::{Code, Diagnostic, closest};
use crate::source::Span;
use crate::template::{PathStep, Use, filter_alias, filters};

/// More names are no help.
const MAX_NAMES: usize = 15;

/// Fields read from results and events exist, as far as known.
pub struct ResultFields;

impl Rule for ResultFields {
    fn summary(&self) -> &'static str {
        "Fields read from a step's result, an event or hob's own names are fields they have, as far as that is known."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        for site in &context.sites {
            for used in site.template.uses() {
                if let Use::Path { root, steps, guarded, .. } = used {
                    let complaint = complaint(context, site, used, root, steps);
                    // A value before `| default(…)` may be missing; a misspelt one always is.
                    let told = complaint.filter(|(_, is_mistake)| !guarded || *is_mistake);
                    found.extend(told.map(|(diagnostic, _)| as_told(diagnostic, *guarded)));
                }
            }
        }
    }
}

/// A missing field before `| default(…)` stops nothing: it is told with a warning.
fn as_told(diagnostic: Diagnostic, guarded: bool) -> Diagnostic {
    if guarded { diagnostic.recoded(Code::Suspicious) } else { diagnostic }
}

/// The complaint about a path, and whether it is a mistake even if the value may be missing.
fn complaint(
    context: &Context<'_>,
    site: &TemplateSite<'_>,
    used: &Use,
    root: &str,
    steps: &[PathStep],
) -> Option<(Diagnostic, bool)> {
    if !site.position.roots().contains(&root) {
        return None;
    }
    let (mut known, taken) = origin(context, &site.position, root, steps, 0)?;
    let mut misspelt = false;
    for (index, step) in steps.iter().enumerate().skip(taken) {
        let dead = match known.step(step) {
            Ok(next) => {
                known = next?;
                continue;
            }
            Err(dead) => dead,
        };
        let holder = path(root, &steps[..index]);
        let place = place(site, used, &steps[..=index]);
        let PathStep::Field(name) = step else {
            let diagnostic = no_member(&holder, &dead, place)?;
            return Some((diagnostic, true));
        };
        let complaint = |message: String| match known.is_doubtful() {
            true => Diagnostic::new(
                Code::Suspicious,
                place,
                message + ", as far as its description can be trusted",
            ),
            false => Diagnostic::new(Code::UnknownResultField, place, message),
        };
        let diagnostic = match dead {
            InvalidStep::NoField(fields) => {
                misspelt = !known.is_doubtful() && closest(name, fields.iter().copied()).is_some();
                let diagnostic = complaint(format!("`{holder}` has no field `{name}`"));
                let unwrapped = steps.get(index + 1).and_then(PathStep::field);
                let help = match fields.len() {
                    _ if WRAPPERS.contains(&name.as_str())
                        && unwrapped.is_some_and(|next| fields.contains(&next)) =>
                    {
                        format!("leave it out: write `{holder}.{}`", unwrapped.unwrap_or_default())
                    }
                    1..=MAX_NAMES => format!("it has {}", fields.join(", ")),
                    _ => "if it is sometimes there all the same, add `| default(none)`".to_owned(),
                };
                diagnostic.help(help).suggest(name, fields)
            }
            _ if dead.is_no_mapping() && as_filter(name).is_some() => {
                let filter = as_filter(name).unwrap_or_default();
                complaint(format!("`{holder}` has no field `{name}`"))
                    .help(format!("`{filter}` is a filter: write `{holder} | {filter}`"))
            }
            InvalidStep::List => complaint(format!("`{holder}` is a list and has no field `{name}`"))
                .help(format!("take one of its members, as in `({holder} | first).{name}`")),
            InvalidStep::Plain(kind) => complaint(format!("`{holder}` is {kind} and has no field `{name}`")),
            InvalidStep::Mapping => return None,
        };
        return Some((diagnostic, misspelt));
    }
    None
}

/// The complaint about an index into a mapping.
fn no_member(holder: &str, dead: &InvalidStep<'_>, place: Span) -> Option<Diagnostic> {
    if *dead != InvalidStep::Mapping {
        return None;
    }
    let message = format!("`{holder}` is a mapping, not a list: it has no members");
    let help = format!("read its fields: `{holder}.…` without an index");
    Some(Diagnostic::new(Code::UnknownResultField, place, message).help(help))
}

/// The filter intended by a field such as `length`.
pub(super) fn as_filter(name: &str) -> Option<&str> {
    let ours = filters().iter().any(|spec| spec.name == name);
    if ours { Some(name) } else { filter_alias(name).filter(|filter| !filter.contains('(')) }
}

/// A path as written in templates.
fn path(root: &str, steps: &[PathStep]) -> String {
    let mut text = root.to_owned();
    for step in steps {
        match step {
            PathStep::Field(name) => text.push_str(&format!(".{name}")),
            PathStep::Item => text.push_str("[0]"),
        }
    }
    text
}

/// The span of the last of `steps` if they are literal, otherwise of the whole path.
fn place(site: &TemplateSite<'_>, used: &Use, steps: &[PathStep]) -> Span {
    let range = used.range();
    let text = site.template.text().get(range.clone()).unwrap_or("");
    let mut last = None;
    let mut from = 0;
    for step in steps {
        let PathStep::Field(name) = step else { continue };
        let Some(at) = text.get(from..).and_then(|rest| rest.find(name.as_str())) else {
            return site.template.place(range);
        };
        last = Some((from + at, name.len()));
        from += at + name.len();
    }
    match last {
        Some((at, length)) => site.template.place(range.start + at..range.start + at + length),
        None => site.template.place(range),
    }
}
