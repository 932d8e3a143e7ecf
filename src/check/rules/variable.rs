//! First names of template paths, and the order of variables.

use super::{Rule, foreign_name};
use crate::check::{Context, Position, TemplateSite};
use crate::diagnostic::{Code, Diagnostic, closest, list_some};
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
        ("event", Position::PollInput) => Some("there is no event before the poll".to_owned()),
        ("steps", _) => Some("no step has run yet at this point".to_owned()),
        ("vars", Position::When | Position::Lane) => {
            Some("`when` and `lane` are evaluated before `vars`".to_owned())
        }
        ("error", _) => Some("`error` exists in `on_failure` only".to_owned()),
        ("item", _) => Some("`item` exists in a step with `for_each` only".to_owned()),
        _ if context.recipe.vars.contains_key(root) => Some(format!("did you mean `vars.{root}`?")),
        _ if context.recipe.all_actions().any(|action| action.id == root) => {
            Some(format!("did you mean `steps.{root}`?"))
        }
        _ => foreign_name::meant(context, site, root, steps),
    };
    Some(match (reason, near) {
        (Some(reason), _) => diagnostic.help(reason),
        (None, Some(near)) => diagnostic.help(near.to_string()),
        (None, None) => {
            let names: Vec<String> = roots.iter().map(|name| format!("`{name}`")).collect();
            let help = format!("available here: {}", names.join(", "));
            diagnostic.help(help)
        }
    })
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
