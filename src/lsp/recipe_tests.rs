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

/// A step whose result a test expects.
pub struct ExpectedStep {
    pub id: String,
    /// The place of its name.
    pub span: Span,
    /// The recipe that the test or its file states.
    pub recipe: Option<String>,
}

/// The steps whose results tests expect.
pub fn expected_steps(tests: &Node) -> Vec<ExpectedStep> {
    let mut found = Vec::new();
    for (case, recipe) in stated(tests) {
        let steps = case.get("expect").and_then(|expect| expect.get("steps"));
        let entries = steps.and_then(|steps| steps.as_map()).into_iter().flatten();
        found.extend(entries.map(|(key, _)| ExpectedStep {
            id: key.value.clone(),
            span: key.span,
            recipe: recipe.map(str::to_owned),
        }));
    }
    found
}

/// All tests and cases, each with the recipe that it, its test or its file states.
fn stated(tests: &Node) -> Vec<(&Node, Option<&str>)> {
    fn name<'n>(node: &'n Node, otherwise: Option<&'n str>) -> Option<&'n str> {
        node.get("recipe").and_then(|name| name.as_text()).or(otherwise)
    }
    let of_file = name(tests, None);
    let mut all = Vec::new();
    for test in items(tests.get("tests")) {
        let of_test = name(test, of_file);
        all.push((test, of_test));
        all.extend(items(test.get("cases")).iter().map(|case| (case, name(case, of_test))));
    }
    all
}

fn items(node: Option<&Node>) -> &[Node] {
    match node.map(|node| &node.value) {
        Some(Data::List(items)) => items,
        _ => &[],
    }
}

/// The recipe that the test at `offset` of the file at `path` is for, if it has no mistakes.
pub fn recipe_of_tests<'s>(
    state: &'s WorkspaceState,
    path: &Path,
    tests: &Node,
    offset: usize,
) -> Option<&'s CheckedRecipe> {
    let here = stated(tests).into_iter().rfind(|(case, _)| case.span.start <= offset);
    let stated = here.map_or_else(|| tests.get("recipe").and_then(|name| name.as_text()), |(_, name)| name);
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
        let is_for = |step: &ExpectedStep| match &step.recipe {
            Some(name) => *name == recipe.name.value,
            None => beside(&tests) == path,
        };
        let places = expected_steps(&node).into_iter().filter(|step| step.id == id && is_for(step));
        found.extend(places.map(|step| Target {
            path: tests.clone(),
            span: super::names::unquoted(&file, step.span),
            file: file.clone(),
        }));
    }
    found
}
