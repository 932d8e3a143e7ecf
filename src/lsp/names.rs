//! The names that a recipe gives to its steps, variables and items of lists, with every place that uses them, inside
//! templates and outside.

use std::ops::Range;

use crate::check::{Context, Position, StepPart, TemplateSite};
use crate::source::{SourceFile, Span};
use crate::template::{PathStep, Use};

/// What a name is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameKind {
    /// A step, read as `steps.NAME`.
    Step,
    /// A variable, read as `vars.NAME`.
    Variable,
    /// The item of a `for_each`.
    Item,
}

/// A name with its places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// What it is for.
    pub kind: NameKind,
    /// The name.
    pub text: String,
    /// Where the recipe gives it, without quotes; `None` for names that hob gives.
    pub given: Option<Span>,
    /// What it names, where `given` is not there.
    pub named: Span,
    /// Where it is used, without quotes.
    pub uses: Vec<Span>,
}

impl Name {
    /// The place of it that contains `offset`.
    pub fn place_at(&self, offset: usize) -> Option<Span> {
        let holds = |span: &&Span| span.start <= offset && offset <= span.end;
        self.given.iter().chain(&self.uses).find(holds).copied()
    }
}

/// All names of the recipe of `context`.
pub fn all(context: &Context<'_>) -> Vec<Name> {
    let recipe = context.recipe;
    let file = &recipe.file;
    let mut names = Vec::new();
    for action in recipe.all_actions() {
        names.push(Name {
            kind: NameKind::Step,
            text: action.id.clone(),
            given: action.given_id.as_ref().map(|id| unquoted(file, id.span)),
            named: action.operation.span,
            uses: Vec::new(),
        });
    }
    for (name, value) in &recipe.vars {
        names.push(Name {
            kind: NameKind::Variable,
            text: name.value.clone(),
            given: Some(unquoted(file, name.span)),
            named: value.span,
            uses: Vec::new(),
        });
    }
    let steps = recipe.all_actions().count();
    let variables = recipe.vars.len();
    for action in recipe.all_actions().filter(|action| action.for_each.is_some()) {
        names.push(Name {
            kind: NameKind::Item,
            text: action.item_name.clone(),
            given: action.item_span.map(|span| unquoted(file, span)),
            named: action.for_each.as_ref().map_or(action.span, |list| list.span),
            uses: Vec::new(),
        });
    }
    for site in &context.sites {
        for (root, steps_read, range) in paths(site) {
            let (at, place) = match (root, steps_read) {
                ("steps", [PathStep::Field(id), ..]) => {
                    let at = recipe.all_actions().position(|action| action.id == *id);
                    (at, segment(site, root, steps_read, range, 1))
                }
                ("vars", [PathStep::Field(name), ..]) => {
                    let at = recipe.vars.get_index_of(name.as_str()).map(|at| steps + at);
                    (at, segment(site, root, steps_read, range, 1))
                }
                _ => {
                    let at = item_of(site, root, context).map(|at| steps + variables + at);
                    (at, segment(site, root, steps_read, range, 0))
                }
            };
            if let (Some(name), Some(place)) = (at.and_then(|at| names.get_mut(at)), place) {
                name.uses.push(place);
            }
        }
    }
    names.iter_mut().for_each(|name| name.uses.dedup());
    names
}

/// The place of a use of `steps` by a name that is computed, or of all steps at once.
pub fn computed(context: &Context<'_>, root: &str) -> Option<Span> {
    context.sites.iter().find_map(|site| {
        let mut uses = paths(site);
        let (.., range) = uses
            .find(|(used, steps, _)| *used == root && !matches!(steps.first(), Some(PathStep::Field(_))))?;
        Some(site.template.place(range))
    })
}

fn paths<'s>(site: &'s TemplateSite<'_>) -> impl Iterator<Item = (&'s str, &'s [PathStep], Range<usize>)> {
    site.template.uses().iter().filter_map(|used| match used {
        Use::Path { root, steps, range, .. } => Some((root.as_str(), steps.as_slice(), range.clone())),
        _ => None,
    })
}

/// The number of the step with a `for_each` whose item `root` is in the template of `site`.
fn item_of(site: &TemplateSite<'_>, root: &str, context: &Context<'_>) -> Option<usize> {
    let Position::Step { action, part, .. } = site.position else { return None };
    if part == StepPart::List || action.for_each.is_none() || action.item_name != root {
        return None;
    }
    let mut looped = context.recipe.all_actions().filter(|action| action.for_each.is_some());
    looped.position(|other| other.span == action.span)
}

/// The place of the part `index` of a path (0 is its root), if it is written there.
fn segment(
    site: &TemplateSite<'_>,
    root: &str,
    steps: &[PathStep],
    range: Range<usize>,
    index: usize,
) -> Option<Span> {
    let found = segments(site.template.text().get(range.clone())?);
    let wanted = match index.checked_sub(1) {
        None => root,
        Some(step) => steps.get(step)?.field()?,
    };
    // A template may give a part of the path another name: `{% set c = steps.contact %}{{ c.id }}`.
    let begins = found.first().is_some_and(|(_, name)| name == root);
    let at = if begins { index } else { (found.len() + index).checked_sub(steps.len() + 1)? };
    let (part, _) = found.get(at).filter(|(_, name)| name == wanted)?;
    Some(site.template.place(range.start + part.start..range.start + part.end))
}

/// The parts of a path as it is written, without quotes; an index has no name.
pub fn segments(path: &str) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    let mut rest = path;
    let is_letter = |c: char| c.is_alphanumeric() || c == '_';
    while let Some(c) = rest.chars().next() {
        let at = path.len() - rest.len();
        if is_letter(c) {
            let length = rest.find(|c| !is_letter(c)).unwrap_or(rest.len());
            found.push((at..at + length, rest[..length].to_owned()));
            rest = &rest[length..];
        } else if c == '[' {
            let length = rest.find(']').map_or(rest.len(), |end| end + 1);
            let inside = rest[1..length].trim_end_matches(']');
            let quoted = inside.trim().trim_matches(['\'', '"']);
            let is_name = quoted.len() < inside.trim().len();
            let start = at + 1 + inside.find(quoted).unwrap_or_default();
            found
                .push((start..start + quoted.len(), if is_name { quoted.to_owned() } else { String::new() }));
            rest = &rest[length..];
        } else {
            rest = &rest[c.len_utf8()..];
        }
    }
    found
}

/// `span` without the quotes around its text.
pub fn unquoted(file: &SourceFile, span: Span) -> Span {
    let text = file.slice(span);
    let is_quoted =
        text.len() > 1 && ['"', '\''].iter().any(|quote| text.starts_with(*quote) && text.ends_with(*quote));
    if is_quoted { Span::new(span.start + 1, span.end - 1) } else { span }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::catalog::Catalog;
    use crate::check::WorkspaceInfo;
    use crate::recipe;

    #[test]
    fn paths_have_parts() {
        let parts = |text: &str| -> Vec<String> {
            segments(text).into_iter().map(|(range, name)| format!("{}={name}", &text[range])).collect()
        };
        assert_eq!(parts("steps.a.b"), ["steps=steps", "a=a", "b=b"]);
        assert_eq!(parts("steps ['a'] [0] . c"), ["steps=steps", "a=a", "0=", "c=c"]);
        assert_eq!(parts("x[\"a b\"]"), ["x=x", "a b=a b"]);
    }

    #[test]
    fn every_use_of_a_name_is_found() {
        let text = "name: r\ntrigger: { manual: {} }\nvars: { 'one': 1, two: \"{{ vars.one }}\" }\nactions:\n\
            - { id: \"a\", do: log, with: { message: \"{{ vars['one'] }} {{ 'steps.a' }}\" } }\n\
            - { do: log, for_each: \"{{ steps.a }}\", as: it, if: \"{{ it.x and steps [ 'a' ].y }}\", with: { message: \"{{ it }}\" } }\n\
            - { do: log, with: { message: \"{% set s = steps %}{{ s.a }}{% set c = steps.a %}{{ c.x }} {{ it }}\" } }\n\
            on_failure:\n- { do: log, with: { message: '{{ steps.a }}' } }\n";
        let file = SourceFile::new("r.yaml", text);
        let recipe = recipe::parse(&file).recipe.unwrap();
        let (catalog, info) = (Arc::new(Catalog::built_in()), WorkspaceInfo::none());
        let context = Context::new(&recipe, &catalog, &info);
        let names = all(&context);
        let count = |kind: NameKind, text: &str| {
            let name = names.iter().find(|name| name.kind == kind && name.text == text).unwrap();
            assert!(name.uses.iter().all(|span| file.slice(*span) == text), "{name:?}");
            (name.given.map(|span| file.slice(span)), name.uses.len())
        };
        assert_eq!(count(NameKind::Step, "a"), (Some("a"), 5));
        assert_eq!(count(NameKind::Variable, "one"), (Some("one"), 2));
        assert_eq!(count(NameKind::Item, "it"), (Some("it"), 2));
        assert_eq!(count(NameKind::Variable, "two").1, 0);
        assert!(names.iter().any(|name| name.kind == NameKind::Step && name.given.is_none()));
        assert!(computed(&context, "steps").is_some() && computed(&context, "vars").is_none());
    }
}
