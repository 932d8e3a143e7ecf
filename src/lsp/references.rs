//! Where what is named at the cursor is used.

use super::document_position::DocumentPosition;
use super::names::NameKind;
use super::recipe_tests::in_tests;
use super::target::{FindText, Target};
use crate::recipe::{Recipe, Trigger};
use crate::source::Span;
use crate::workspace::FileRole;

/// All uses of what is named at the offset of `document`; of a step, variable or item also the place where it is named.
pub fn references(
    document: &DocumentPosition<'_>,
    with_definition: bool,
    find: &FindText<'_>,
) -> Vec<Target> {
    let here = |span: Span| Target { path: document.path.to_owned(), file: document.file.clone(), span };
    if let Some((name, _)) = document.name() {
        let given = name.given.filter(|_| with_definition);
        let mut found: Vec<Target> = given.into_iter().chain(name.uses).map(here).collect();
        if let Some(recipe) = document.recipe().filter(|_| name.kind == NameKind::Step) {
            found.extend(in_tests(document.state, document.path, recipe, &name.text, find));
        }
        return found;
    }
    let Some(located) = document.located() else { return Vec::new() };
    let text = document.text_of(&located);
    let keys: Vec<&str> = located.path.iter().map(|part| part.key().unwrap_or_default()).collect();
    match (document.role, keys.as_slice(), located.key.is_some()) {
        (FileRole::Recipe, ["connections", ..] | [.., "connection"], false)
        | (FileRole::Settings, ["connections"], true) => {
            everywhere(document, |recipe| connections(recipe, &text))
        }
        (FileRole::Recipe | FileRole::Tests, [.., "do" | "poll" | "over"], false)
        | (FileRole::Connector(_), ["operations"], true) => {
            everywhere(document, |recipe| operations(recipe, &text))
        }
        _ => Vec::new(),
    }
}

/// The places that `find` finds in all recipes of the workspace.
fn everywhere(document: &DocumentPosition<'_>, find: impl Fn(&Recipe) -> Vec<Span>) -> Vec<Target> {
    let mut found = Vec::new();
    for (path, checked) in document.state.recipes() {
        let mut spans: Vec<Span> = checked.broken.iter().flat_map(&find).collect();
        spans.sort_unstable();
        spans.dedup();
        let Some(recipe) = checked.broken.first() else { continue };
        let target = |span| Target { path: path.clone(), file: recipe.file.clone(), span };
        found.extend(spans.into_iter().map(target));
    }
    found
}

fn operations(recipe: &Recipe, id: &str) -> Vec<Span> {
    let poll = match &recipe.trigger {
        Trigger::Poll(poll) => Some(poll),
        _ => None,
    };
    let parents = poll.and_then(|poll| poll.over.as_ref()).map(|over| &over.operation);
    let poll = poll.map(|poll| &poll.operation).into_iter().chain(parents);
    let steps = recipe.all_actions().map(|action| &action.operation);
    poll.chain(steps).filter(|name| name.value == id).map(|name| name.span).collect()
}

fn connections(recipe: &Recipe, name: &str) -> Vec<Span> {
    let chosen = recipe.connections.values().flatten();
    let of_steps = recipe.all_actions().filter_map(|action| action.connection.as_ref());
    chosen.chain(of_steps).filter(|known| known.value == name).map(|known| known.span).collect()
}
