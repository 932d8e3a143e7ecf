//! First names of template paths, and the order of variables.

use super::{Rule, foreign_name};
use crate::check::{Context, Position, TemplateSite};
use crate::diagnostic::{Code, Diagnostic, Fix, closest, list_some};
use crate::recipe::Action;
use crate::source::Span;
use crate::template::{PathStep, Use};

/// Every path begins with a name that exists where it is evaluated.
pub struct KnownVariables;

impl Rule for KnownVariables {
    fn summary(&self) -> &'static str {
        "Templates name only what exists at that point; a variable uses only those before it."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        for site in &context.sites {
            let roots = site.position.roots();
            for used in site.template.uses() {
                let Use::Path { root, steps, range, .. } = used else { continue };
                let place = site.template.place(range.start..(range.start + root.len()).min(range.end));
                if !roots.contains(&root.as_str()) && !is_end_of_step(context, site, range.start, root) {
                    found.extend(unknown_root(context, site, (root, steps), &roots, place));
                } else if root == "vars"
                    && let Some(PathStep::Field(name)) = steps.first()
                {
                    let whole = site.template.place(range.clone());
                    found.extend(variable(context, site, name, whole));
                }
            }
        }
    }
}

/// Whether it is the `b` of `steps.a-b`, which the rule on steps explains.
fn is_end_of_step(context: &Context<'_>, site: &TemplateSite<'_>, start: usize, root: &str) -> bool {
    let before = site.template.text().get(..start + root.len()).unwrap_or("");
    let ids = context.recipe.all_actions().filter_map(|action| action.given_id.as_ref());
    ids.filter(|id| id.contains('-')).any(|id| before.ends_with(&format!("steps.{id}")))
}

fn unknown_root(
    context: &Context<'_>,
    site: &TemplateSite<'_>,
    (root, steps): (&str, &[PathStep]),
    roots: &[&str],
    place: Span,
) -> Option<Diagnostic> {
    let dropped_fields = context.recipe.dropped_fields();
    let near = closest(root, roots.iter().copied());
    if near.is_none() && (dropped_fields.anywhere("for_each") || dropped_fields.anywhere("as")) {
        return None;
    }
    let diagnostic = Diagnostic::new(Code::UnknownVariable, place, format!("no variable `{root}` here"));
    let reason = match (root, site.position) {
        ("event", Position::PollInput | Position::ParentInput) => {
            Some("there is no event before the poll".to_owned())
        }
        ("steps", _) => Some("no step has run yet at this point".to_owned()),
        ("vars", Position::When | Position::Lane) => {
            Some("`when` and `lane` are evaluated before `vars`".to_owned())
        }
        ("error", _) => Some("`error` exists in `on_failure` only".to_owned()),
        ("item", _) => Some("`item` exists in a step with `for_each` only".to_owned()),
        _ if context.recipe.vars.contains_key(root) => {
            let known = roots.contains(&"vars") && context.recipe.vars.get_index_of(root) < own_index(site);
            return Some(within(diagnostic, "vars", root, known));
        }
        _ if context.recipe.all_actions().any(|action| action.id == root) => {
            let before = steps_before(context, site);
            return Some(within(diagnostic, "steps", root, before.iter().any(|step| step.id == root)));
        }
        ("parent", Position::PollInput) => {
            Some("`parent` exists in the inputs of a poll with `over` only".to_owned())
        }
        ("parent", _) => Some("the parent is `event.parent` here, of a poll with `over`".to_owned()),
        _ => foreign_name::meant(context, site, root, steps),
    };
    Some(match (reason, near) {
        (Some(reason), _) => diagnostic.help(reason),
        (None, Some(near)) => diagnostic.meant(root, &near),
        (None, None) => {
            let names: Vec<String> = roots.iter().map(|name| format!("`{name}`")).collect();
            let help = format!("available here: {}", names.join(", "));
            diagnostic.help(help)
        }
    })
}

/// The index of the variable that `site` defines, or one past all.
fn own_index(site: &TemplateSite<'_>) -> Option<usize> {
    match site.position {
        Position::Variable(own) => Some(own),
        _ => Some(usize::MAX),
    }
}

/// The steps that have run when `site` is evaluated.
fn steps_before<'a>(context: &Context<'a>, site: &TemplateSite<'_>) -> &'a [Action] {
    match site.position {
        Position::Step { index, after_failure: false, .. } => &context.recipe.actions[..index],
        Position::Step { after_failure: true, .. } => &context.recipe.actions,
        _ => &[],
    }
}

/// `name` is a member of `holder`. Other tools call the record of a run by some names, which may be meant instead.
fn within(diagnostic: Diagnostic, holder: &str, name: &str, is_known: bool) -> Diagnostic {
    let path = format!("{holder}.{name}");
    let fix = Fix::replace(diagnostic.span, name, path.as_str());
    let fix = if is_known && !foreign_name::RECORDS.contains(&name) { fix } else { fix.suggested() };
    diagnostic.help(format!("did you mean `{path}`?")).fix(fix)
}

fn variable(context: &Context<'_>, site: &TemplateSite<'_>, name: &str, place: Span) -> Option<Diagnostic> {
    let vars = &context.recipe.vars;
    let complaint = |message: String| Diagnostic::new(Code::UnknownVariable, place, message);
    match (vars.get_index_of(name), site.position) {
        (None, _) if context.recipe.dropped_fields().anywhere("vars") => None,
        (None, _) => {
            let diagnostic = complaint(format!("no variable `vars.{name}`"));
            let diagnostic = match vars.is_empty() {
                true => diagnostic.help("the recipe has no `vars`"),
                false => {
                    let names = vars.keys().map(|name| name.as_str());
                    diagnostic.help(format!("there are {}", list_some(names)))
                }
            };
            Some(context.suggest(diagnostic, name, vars.keys().map(|name| name.as_str())))
        }
        (Some(index), Position::Variable(own)) if index == own => {
            Some(complaint(format!("`vars.{name}` uses itself")))
        }
        (Some(index), Position::Variable(own)) if index > own => {
            let diagnostic = complaint(format!("`vars.{name}` is evaluated later"));
            Some(diagnostic.help(format!("move `{name}` up: variables use only those before them")))
        }
        _ => None,
    }
}
