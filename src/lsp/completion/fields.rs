//! Names of fields.

use super::field_items::{add, is_part, of_shape};
use super::inputs;
use super::item::Items;
use crate::check::{CheckedRecipe, Context, Position};
use crate::lsp::cursor_context::CursorContext;
use crate::lsp::recipe_tests::recipe_of_tests;
use crate::lsp::schema_walk;
use crate::recipe::schema_node::required;
use crate::workspace::FileRole;

/// Names that can be written at the cursor, which is at a key.
pub(super) fn complete(cursor: &CursorContext<'_>) -> Items {
    let mut items = Items::new(cursor.word(cursor.place.start, is_part));
    if let Some((operation, rest)) = cursor.inputs() {
        inputs::complete(cursor, operation, rest, &mut items);
        return items;
    }
    match (cursor.role, cursor.keys().as_slice()) {
        (FileRole::Recipe, ["connections"]) => {
            for connector in cursor.catalog().connectors() {
                add(cursor, &mut items, &connector.connector, &connector.title, &connector.about, false);
            }
        }
        (FileRole::Settings, ["connections", name]) => settings(cursor, name, &mut items),
        (FileRole::Tests, [.., "stubs"]) => operations(cursor, &mut items),
        (FileRole::Tests, ["tests", .., "expect", "steps"]) => steps(cursor, &mut items),
        (FileRole::Tests, ["tests", .., "event"]) => event(cursor, &mut items),
        (FileRole::Tests, [.., "stubs", id, "result"] | [.., "stubs", id, "", "result"]) => {
            let shape = cursor.catalog().operation(id).and_then(|operation| operation.result_shape());
            shape.into_iter().for_each(|shape| of_shape(cursor, shape, &mut items));
        }
        _ => {}
    }
    by_schema(cursor, &mut items);
    items
}

fn by_schema(cursor: &CursorContext<'_>, items: &mut Items) {
    let Some(root) = cursor.schema() else { return };
    let mut schemas = schema_walk::at(root, &cursor.place.path, cursor.analysis.node.as_ref());
    if cursor.role == FileRole::Recipe && cursor.place.path.is_empty() {
        let has_steps = cursor
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
        add(cursor, items, name, detail, &about, is_container);
    }
}

/// The settings of a connection's connector.
fn settings(cursor: &CursorContext<'_>, name: &str, items: &mut Items) {
    let path = &cursor.place.path;
    let connector = cursor.text_at(path, "connector").unwrap_or(name);
    let Some(connector) = cursor.catalog().connector(connector) else { return };
    for (name, setting) in &connector.settings {
        add(cursor, items, name, &setting.title, "", false);
    }
}

fn operations(cursor: &CursorContext<'_>, items: &mut Items) {
    for operation in cursor.catalog().operations().filter(|operation| operation.builtin.is_none()) {
        add(cursor, items, &operation.id, &operation.title, &operation.summary, true);
    }
}

/// The steps of the tested recipe.
fn steps(cursor: &CursorContext<'_>, items: &mut Items) {
    for action in tested(cursor).iter().flat_map(|recipe| recipe.all_actions()) {
        add(cursor, items, &action.id, &action.operation.title, "", true);
    }
}

/// The fields of the tested recipe's events.
fn event(cursor: &CursorContext<'_>, items: &mut Items) {
    let Some(recipe) = tested(cursor) else { return };
    let context = Context::new(recipe.recipe(), &cursor.state.catalog, &cursor.state.info);
    if let Some(shape) = context.shape_at(&Position::When, "event", &[]) {
        of_shape(cursor, &shape, items);
    }
}

/// The recipe that the tests are for.
fn tested<'v>(cursor: &'v CursorContext<'_>) -> Option<&'v CheckedRecipe> {
    let path = cursor.state.root.as_ref()?.join(cursor.file.name());
    recipe_of_tests(cursor.state, &path, cursor.analysis.node.as_ref()?, cursor.offset)
}
