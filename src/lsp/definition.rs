//! Where what is named at the cursor is defined.

use std::path::Path;

use super::document_position::{DocumentPosition, use_at};
use super::recipe_tests::{expected_steps, recipe_of_tests};
use super::target::{FindText, Target};
use crate::check::CheckedRecipe;
use crate::source::{Node, SourceFile, Span, parse};
use crate::template::{PathStep, Use};
use crate::workspace::{self, FileRole};

/// The definition of what is named at the offset of `document`.
pub fn definition(document: &DocumentPosition<'_>, find: &FindText<'_>) -> Option<Target> {
    let here = |span: Span| Target { path: document.path.to_owned(), file: document.file.clone(), span };
    if let Some((name, _)) = document.name() {
        return Some(here(name.given.unwrap_or(name.named)));
    }
    if let Some(name) = variable(document) {
        return setting(document, find, |settings| {
            let crate::source::Data::List(names) = &settings.get("env")?.value else { return None };
            let is_name = |node: &&Node| {
                node.as_text() == Some(&name)
                    || node.get("name").and_then(|inner| inner.as_text()) == Some(&name)
            };
            names.iter().find(is_name).map(|node| node.span)
        });
    }
    let located = document.located()?;
    let text = document.text_of(&located);
    let keys: Vec<&str> = located.path.iter().map(|part| part.key().unwrap_or_default()).collect();
    let is_key = located.key.is_some();
    match (document.role, keys.as_slice(), is_key) {
        (FileRole::Recipe, ["connections", ..] | [.., "connection"], false) => {
            connection(document, find, &text)
        }
        (FileRole::Recipe, ["trigger", "webhook", ..], false) => {
            let (connector, event) = text.split_once('.')?;
            in_connectors(document, find, |root, _| Some(root.get("events")?.entry(event)?.0.span), connector)
        }
        (FileRole::Recipe | FileRole::Tests, [.., "do" | "poll" | "over"], false) => {
            operation(document, find, &text)
        }
        (FileRole::Tests, [.., "stubs"], true) => operation(document, find, &text),
        (FileRole::Tests, ["recipe"] | ["tests", .., "recipe"], false) => recipe(document, &text),
        (FileRole::Tests, _, true) => {
            let node = document.node.as_ref()?;
            let is_step =
                expected_steps(node).iter().any(|step| step.id == text && step.span == located.span);
            let recipe = recipe_of_tests(document.state, document.path, node, document.offset);
            let recipe = recipe.filter(|_| is_step)?;
            let action = recipe.all_actions().find(|action| action.id == text)?;
            let span = action.given_id.as_ref().map_or(action.span, |id| id.span);
            in_recipe(document, recipe, span)
        }
        _ => None,
    }
}

/// The name behind `env.` at the offset.
fn variable(document: &DocumentPosition<'_>) -> Option<String> {
    let context = document.context()?;
    match use_at(&context, document.offset)?.used {
        Use::Path { root, steps, .. } if root == "env" => match steps.first() {
            Some(PathStep::Field(name)) => Some(name.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// A place in `hob.yaml`.
fn setting(
    document: &DocumentPosition<'_>,
    find: &FindText<'_>,
    place: impl Fn(&Node) -> Option<Span>,
) -> Option<Target> {
    let path = document.state.root.as_ref()?.join(workspace::FILE);
    let file = find(&path)?;
    let span = place(parse(&file).node.as_ref()?)?;
    Some(Target { path, file, span })
}

fn connection(document: &DocumentPosition<'_>, find: &FindText<'_>, name: &str) -> Option<Target> {
    setting(document, find, |settings| Some(settings.get("connections")?.entry(name)?.0.span))
}

/// An operation of one of the workspace's own connectors; the built-in ones are in no file.
fn operation(document: &DocumentPosition<'_>, find: &FindText<'_>, id: &str) -> Option<Target> {
    let connector = &document.state.catalog.operation(id)?.connector;
    in_connectors(document, find, |root, _| Some(root.get("operations")?.entry(id)?.0.span), connector)
}

/// A place in the files of the workspace's own connectors.
fn in_connectors(
    document: &DocumentPosition<'_>,
    find: &FindText<'_>,
    place: impl Fn(&Node, &Path) -> Option<Span>,
    connector: &str,
) -> Option<Target> {
    let root = document.state.root.as_ref()?;
    let folders = workspace::connectors(root).ok()?;
    let own = folders.iter().filter(|folder| folder.connector().as_deref() == Some(connector));
    own.flat_map(|folder| &folder.files).find_map(|(path, text)| {
        let path = Path::new(path);
        let file = find(path).unwrap_or_else(|| SourceFile::new(path.display().to_string(), text.as_str()));
        let span = place(parse(&file).node.as_ref()?, path)?;
        Some(Target { path: path.to_owned(), file, span })
    })
}

fn recipe(document: &DocumentPosition<'_>, name: &str) -> Option<Target> {
    let recipe = document.state.sound.iter().find(|recipe| recipe.name() == name)?;
    in_recipe(document, recipe, recipe.recipe().name.span)
}

/// A place in the file of `recipe`.
fn in_recipe(document: &DocumentPosition<'_>, recipe: &CheckedRecipe, span: Span) -> Option<Target> {
    let file = recipe.recipe().file.clone();
    let path = document.state.root.as_ref()?.join(file.name());
    Some(Target { path, file, span })
}
