//! Names of fields.

use super::field_items::{add, is_part, of_shape};
use super::inputs;
use super::item::Items;
use crate::check::{CheckedRecipe, Context, Position};
use crate::lsp::schema_walk;
use crate::lsp::tested::recipe_of_tests;
use crate::lsp::view::View;
use crate::recipe::schema_node::required;
use crate::workspace::FileRole;

/// Names that can be written at the cursor, which is at a key.
pub(super) fn complete(view: &View<'_>) -> Items {
    let mut items = Items::new(view.word(view.place.start, is_part));
    if let Some((operation, rest)) = view.inputs() {
        inputs::complete(view, operation, rest, &mut items);
        return items;
    }
    match (view.role, view.keys().as_slice()) {
        (FileRole::Recipe, ["connections"]) => {
            for connector in view.catalog().connectors() {
                add(view, &mut items, &connector.connector, &connector.title, &connector.about, false);
            }
        }
        (FileRole::Settings, ["connections", name]) => settings(view, name, &mut items),
        (FileRole::Tests, [.., "stubs"]) => operations(view, &mut items),
        (FileRole::Tests, ["tests", .., "expect", "steps"]) => steps(view, &mut items),
        (FileRole::Tests, ["tests", .., "event"]) => event(view, &mut items),
        (FileRole::Tests, [.., "stubs", id, "result"] | [.., "stubs", id, "", "result"]) => {
            let shape = view.catalog().operation(id).and_then(|operation| operation.result_shape());
            shape.into_iter().for_each(|shape| of_shape(view, shape, &mut items));
        }
        _ => {}
    }
    by_schema(view, &mut items);
    items
}

fn by_schema(view: &View<'_>, items: &mut Items) {
    let Some(root) = view.schema() else { return };
    let mut schemas = schema_walk::at(root, &view.place.path, view.analysis.node.as_ref());
    if view.role == FileRole::Recipe && view.place.path.is_empty() {
        let has_steps = view
            .analysis
            .node
            .as_ref()
            .is_some_and(|node| ["trigger", "actions"].iter().any(|name| node.get(name).is_some()));
        if !has_steps && root != crate::recipe::sync_schema() {
            schemas.push(crate::recipe::sync_schema());
        }
    }
    let needed: Vec<&str> = schemas.iter().flat_map(|schema| required(schema)).collect();
    let keys = schema_walk::keys(root, &schemas);
    let (first, others): (Vec<_>, Vec<_>) = keys.into_iter().partition(|(name, ..)| needed.contains(name));
    for (name, about, is_container) in first.into_iter().chain(others) {
        let detail = if needed.contains(&name) { "required" } else { "" };
        add(view, items, name, detail, &about, is_container);
    }
}

/// The settings of a connection's connector.
fn settings(view: &View<'_>, name: &str, items: &mut Items) {
    let path = &view.place.path;
    let connector = view.text_at(path, "connector").unwrap_or(name);
    let Some(connector) = view.catalog().connector(connector) else { return };
    for (name, setting) in &connector.settings {
        add(view, items, name, &setting.title, "", false);
    }
}

fn operations(view: &View<'_>, items: &mut Items) {
    for operation in view.catalog().operations().filter(|operation| operation.builtin.is_none()) {
        add(view, items, &operation.id, &operation.title, &operation.summary, true);
    }
}

/// The steps of the tested recipe.
fn steps(view: &View<'_>, items: &mut Items) {
    for action in tested(view).iter().flat_map(|recipe| recipe.all_actions()) {
        add(view, items, &action.id, &action.operation.title, "", true);
    }
}

/// The fields of the tested recipe's events.
fn event(view: &View<'_>, items: &mut Items) {
    let Some(recipe) = tested(view) else { return };
    let context = Context::new(recipe.recipe(), &view.state.catalog, &view.state.info);
    if let Some(shape) = context.shape_at(&Position::When, "event", &[]) {
        of_shape(view, &shape, items);
    }
}

/// The recipe that the tests are for.
fn tested<'v>(view: &'v View<'_>) -> Option<&'v CheckedRecipe> {
    let path = view.state.root.as_ref()?.join(view.file.name());
    recipe_of_tests(view.state, &path, view.analysis.node.as_ref()?, view.offset)
}
