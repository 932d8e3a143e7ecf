//! New names for steps, variables and items of lists, inside templates and outside, and in the tests of the recipe.

use std::collections::BTreeMap;

use lsp_types::{Range, TextEdit};
use serde_json::{Value, json};

use super::document_position::DocumentPosition;
use super::names::{self, Name, NameKind};
use super::recipe_tests::in_tests;
use super::refusal::Refusal;
use super::target::{FindText, Target};
use super::text_position::Encoding;
use super::uri;
use crate::check::rules;
use crate::source::Span;

/// The name at the offset of `document`, if it can be changed.
pub fn prepare(document: &DocumentPosition<'_>, encoding: Encoding) -> Result<Value, Refusal> {
    let (name, span) = renamable(document)?;
    let range: Range = encoding.range(document.file, span);
    Ok(json!({ "range": range, "placeholder": name.text }))
}

/// The changes that give the name at the offset of `document` the text `new`.
pub fn rename(
    document: &DocumentPosition<'_>,
    new: &str,
    find: &FindText<'_>,
    encoding: Encoding,
) -> Result<Value, Refusal> {
    let (name, _) = renamable(document)?;
    let new = new.trim();
    if new == name.text {
        return Ok(Value::Null);
    }
    refuse_name(document, &name, new)?;
    let here = |span: Span| Target { path: document.path.to_owned(), file: document.file.clone(), span };
    let mut targets: Vec<Target> =
        name.given.into_iter().chain(name.uses.iter().copied()).map(here).collect();
    if let Some(recipe) = document.recipe().filter(|_| name.kind == NameKind::Step) {
        targets.extend(in_tests(document.state, document.path, recipe, &name.text, find));
    }
    let mut changes: BTreeMap<String, Vec<TextEdit>> = BTreeMap::new();
    for target in targets {
        if let Some(uri) = uri::of(&target.path) {
            changes.entry(uri.as_str().to_owned()).or_default().push(target.edit(new, encoding));
        }
    }
    Ok(json!({ "changes": changes }))
}

fn renamable(document: &DocumentPosition<'_>) -> Result<(Name, Span), Refusal> {
    let Some(found) = document.name() else {
        return Err(Refusal::new(
            "only the names of steps, of variables under `vars`, and of items (`as`) can be changed",
        ));
    };
    let (name, _) = &found;
    if name.given.is_none() {
        return Err(Refusal::new(match name.kind {
            NameKind::Item => {
                format!("`{0}` is the usual name: give the item one with `as: {0}` first", name.text)
            }
            _ => format!("the step has no name of its own: give it one with `id: {}` first", name.text),
        }));
    }
    let root = match name.kind {
        NameKind::Step => "steps",
        NameKind::Variable => "vars",
        NameKind::Item => return Ok(found),
    };
    if let Some(place) = document.context().and_then(|context| names::computed(&context, root)) {
        let line = document.file.position(place.start).line;
        let text = document.file.slice(place);
        return Err(Refusal::new(format!(
            "line {line} reads `{text}` as a whole or by a computed name, so hob cannot know whether it uses `{}`",
            name.text
        )));
    }
    Ok(found)
}

/// Why `new` cannot be the name, if so.
fn refuse_name(document: &DocumentPosition<'_>, name: &Name, new: &str) -> Result<(), Refusal> {
    if !rules::is_plain_name(new) {
        return Err(Refusal::new(format!(
            "templates cannot read `{new}` as a name: use letters, digits and `_`, and begin with a letter"
        )));
    }
    let names = document.names();
    if name.kind == NameKind::Item {
        if rules::is_reserved_name(new) {
            return Err(Refusal::new(format!("`{new}` means something else in templates")));
        }
        return Ok(());
    }
    match names.iter().any(|other| other.kind == name.kind && other.text == new) {
        true => Err(Refusal::new(format!("there is another `{new}` already"))),
        false => Ok(()),
    }
}
