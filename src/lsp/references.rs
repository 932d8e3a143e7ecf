//! Where what is named at the cursor is used.

use super::names::NameKind;
use super::reading::Reading;
use super::target::{FindText, Target};
use super::tested::in_tests;
use crate::recipe::{Recipe, Trigger};
use crate::source::Span;
use crate::workspace::FileRole;

/// All uses of what is named at the offset of `reading`; of a step, variable or item also the place where it is named.
pub fn references(reading: &Reading<'_>, with_definition: bool, find: &FindText<'_>) -> Vec<Target> {
    let here = |span: Span| Target { path: reading.path.to_owned(), file: reading.file.clone(), span };
    if let Some((name, _)) = reading.name() {
        let given = name.given.filter(|_| with_definition);
        let mut found: Vec<Target> = given.into_iter().chain(name.uses).map(here).collect();
        if let Some(recipe) = reading.recipe().filter(|_| name.kind == NameKind::Step) {
            found.extend(in_tests(reading.state, reading.path, recipe, &name.text, find));
        }
        return found;
    }
    let Some(located) = reading.located() else { return Vec::new() };
    let text = reading.text_of(&located);
    let keys: Vec<&str> = located.path.iter().map(|part| part.key().unwrap_or_default()).collect();
    match (reading.role, keys.as_slice(), located.key.is_some()) {
        (FileRole::Recipe, ["connections", ..] | [.., "connection"], false)
        | (FileRole::Settings, ["connections"], true) => {
            everywhere(reading, |recipe| connections(recipe, &text))
        }
        (FileRole::Recipe | FileRole::Tests, [.., "do" | "poll" | "over"], false)
        | (FileRole::Connector(_), ["operations"], true) => {
            everywhere(reading, |recipe| operations(recipe, &text))
        }
        _ => Vec::new(),
    }
}

/// The places that `find` finds in all recipes of the workspace.
fn everywhere(reading: &Reading<'_>, find: impl Fn(&Recipe) -> Vec<Span>) -> Vec<Target> {
    let mut found = Vec::new();
    for (path, checked) in reading.state.recipes() {
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
