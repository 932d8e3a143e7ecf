//! Tests and the recipe that they are for.

use std::path::{Path, PathBuf};

use super::target::{FindText, Target};
use super::whole_check::shown;
use super::workspace_state::WorkspaceState;
use crate::check::CheckedRecipe;
use crate::recipe::Recipe;
use crate::recipe_test::beside;
use crate::source::{Data, Node, Span, parse};
use crate::workspace;

/// The steps whose results tests expect, with the places of their names.
pub fn expected_steps(tests: &Node) -> Vec<(String, Span)> {
    let mut found = Vec::new();
    for test in items(tests.get("tests")) {
        for case in std::iter::once(test).chain(items(test.get("cases"))) {
            let steps = case.get("expect").and_then(|expect| expect.get("steps"));
            let entries = steps.and_then(|steps| steps.as_map()).into_iter().flatten();
            found.extend(entries.map(|(key, _)| (key.value.clone(), key.span)));
        }
    }
    found
}

fn items(node: Option<&Node>) -> &[Node] {
    match node.map(|node| &node.value) {
        Some(Data::List(items)) => items,
        _ => &[],
    }
}

/// The recipe that the tests at `path` are for, if it has no mistakes.
pub fn recipe_of_tests<'s>(
    state: &'s WorkspaceState,
    path: &Path,
    tests: &Node,
) -> Option<&'s CheckedRecipe> {
    let stated = tests.get("recipe").and_then(|name| name.as_text());
    let file = shown(&beside(path), state.root.as_deref());
    state.sound.iter().find(|recipe| match stated {
        Some(name) => recipe.name() == name,
        None => recipe.recipe().file.name() == file,
    })
}

/// Where the tests of `recipe`, which is in the file at `path`, name its step `id`.
pub fn in_tests(
    state: &WorkspaceState,
    path: &Path,
    recipe: &Recipe,
    id: &str,
    find: &FindText<'_>,
) -> Vec<Target> {
    let root = state.root.as_deref();
    let folder = root.or(path.parent()).unwrap_or(path);
    let known = state.reports().keys().filter(|path| workspace::is_test_file(path)).cloned();
    let mut files: Vec<PathBuf> =
        workspace::tests(folder).unwrap_or_default().into_iter().chain(known).collect();
    files.sort();
    files.dedup();
    let mut found = Vec::new();
    for tests in files {
        let Some(file) = find(&tests) else { continue };
        let Some(node) = parse(&file).node else { continue };
        let is_for = match node.get("recipe").and_then(|name| name.as_text()) {
            Some(name) => name == recipe.name.value,
            None => beside(&tests) == path,
        };
        if is_for {
            let places = expected_steps(&node).into_iter().filter(|(name, _)| name == id);
            found.extend(places.map(|(_, span)| Target {
                path: tests.clone(),
                span: super::names::unquoted(&file, span),
                file: file.clone(),
            }));
        }
    }
    found
}
