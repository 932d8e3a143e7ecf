//! Steps that have run.

use super::Rule;
use super::foreign_name::within_event;
use crate::check::{Context, Position, TemplateSite};
use crate::diagnostic::{Code, Diagnostic, list_some};
use crate::source::Span;
use crate::template::{PathStep, Use};

/// Names in other tools for the step that starts a run.
const STARTS: [&str; 6] = ["trigger", "event", "start", "webhook", "poll", "input"];

/// Every `steps.NAME` is a step that has run at that point.
pub struct KnownSteps;

impl Rule for KnownSteps {
    fn summary(&self) -> &'static str {
        "Every `steps.NAME` is a step that has run before."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        for site in &context.sites {
            for used in site.template.uses() {
                let Use::Path { root, steps, range, .. } = used else { continue };
                if let ("steps", Some(PathStep::Field(id))) = (root.as_str(), steps.first()) {
                    let place = site.template.place(range.clone());
                    let unknown = complaint(context, site, id, place, range.end);
                    found.extend(unknown.map(|diagnostic| named_elsewhere(context, site, steps, diagnostic)));
                }
            }
        }
    }
}

/// The start of the run is not a step here.
fn named_elsewhere(
    context: &Context<'_>,
    site: &TemplateSite<'_>,
    steps: &[PathStep],
    diagnostic: Diagnostic,
) -> Diagnostic {
    let names: Vec<&str> = steps.iter().map_while(PathStep::field).collect();
    match names.split_first() {
        Some((first, rest)) if STARTS.contains(first) && diagnostic.message.starts_with("no step") => {
            let path = within_event(context, site, rest);
            diagnostic.help(format!("what started the run is `event`: write `{path}`")).fix(None)
        }
        _ => diagnostic,
    }
}

fn complaint(
    context: &Context<'_>,
    site: &TemplateSite<'_>,
    id: &str,
    place: Span,
    end: usize,
) -> Option<Diagnostic> {
    let Position::Step { index: own, after_failure, .. } = site.position else { return None };
    let recipe = context.recipe;
    let diagnostic = |message: String| Some(Diagnostic::new(Code::UnknownStep, place, message));
    let at = |actions: &[crate::recipe::Action]| actions.iter().position(|action| action.id == id);
    match (at(&recipe.actions), at(&recipe.on_failure), after_failure) {
        (Some(index), _, false) if index < own => None,
        (Some(_), _, true) => None,
        (_, Some(index), true) if index < own => None,
        (Some(index), _, false) | (_, Some(index), true) if index == own => {
            diagnostic(format!("`steps.{id}` is this step itself"))
        }
        (Some(_), _, false) | (_, Some(_), true) => {
            let help = format!("move the step `{id}` up, or use its result in a later step");
            Some(diagnostic(format!("`steps.{id}` has not run yet"))?.help(help))
        }
        (None, Some(_), false) => diagnostic(format!("`steps.{id}` runs after a failure only")),
        (None, None, _)
            if recipe.dropped_fields().anywhere("id") || recipe.dropped_fields().anywhere("actions") =>
        {
            None
        }
        (None, None, _) => {
            let unknown = diagnostic(format!("no step is called `{id}`"))?;
            Some(advised(unknown, context, site, id, own, end))
        }
    }
}

fn advised(
    diagnostic: Diagnostic,
    context: &Context<'_>,
    site: &TemplateSite<'_>,
    id: &str,
    own: usize,
    end: usize,
) -> Diagnostic {
    let recipe = context.recipe;
    let rest = site.template.text().get(end..).unwrap_or("");
    let dashed = recipe.all_actions().find(|action| {
        let tail = action.id.strip_prefix(id);
        tail.is_some_and(|tail| tail.starts_with('-') && rest.starts_with(tail))
    });
    if let Some(action) = dashed {
        return diagnostic.help(format!("write `steps['{}']`: a dash in a name means minus", action.id));
    }
    let before = match site.position {
        Position::Step { after_failure: true, .. } => recipe.actions.len(),
        _ => own,
    };
    let given = || recipe.actions.iter().take(before).filter_map(|action| action.given_id.as_ref());
    let help = match given().next() {
        None => "give the step that it means an `id`".to_owned(),
        Some(_) => format!("steps before this one: {}", list_some(given().map(|id| id.as_str()))),
    };
    context.suggest(diagnostic.help(help), id, given().map(|id| id.as_str()))
}
