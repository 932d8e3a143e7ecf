//! Inputs of operations, and the fields within them.

use super::field_items::{add, of_shape};
use super::item::Items;
use crate::catalog::{Connector, Input, Operation};
use crate::lsp::cursor_context::CursorContext;
use crate::lsp::outline::Part;
use crate::reference;
use crate::value::{Kind, Shape};

/// Adds the names that fit at `rest`, the way from the `with` of `operation`.
pub(super) fn complete(cursor: &CursorContext<'_>, operation: &Operation, rest: &[Part], items: &mut Items) {
    if !rest.is_empty() {
        if let Some(shape) = shape(operation, rest) {
            of_shape(cursor, shape, items);
        }
        return;
    }
    let connector = cursor.catalog().connector(&operation.connector).map(AsRef::as_ref);
    let is_poll = cursor.place.path.first().and_then(Part::key) == Some("trigger");
    let managed = match &operation.list {
        Some(list) if is_poll => list.paging_inputs(),
        _ => Vec::new(),
    };
    let mut inputs = operation.inputs();
    inputs.retain(|input| !managed.contains(&input.name));
    inputs.sort_by_key(|input| rank(input, operation, connector));
    for input in &inputs {
        let detail = match rank(input, operation, connector) {
            0 => "required",
            1 => "one of these is required",
            _ => "",
        };
        let is_container =
            matches!(input.shape.kind, Kind::Object | Kind::Array) && input.shape.any_of.is_empty();
        let about = reference::input(operation, input, cursor.catalog());
        add(cursor, items, input.name, detail, &about, is_container);
    }
}

/// What must be given comes first, what a connection gives last.
fn rank(input: &Input<'_>, operation: &Operation, connector: Option<&Connector>) -> u8 {
    let is_filled = connector.is_some_and(|connector| connector.fills(input.name));
    match is_filled {
        true => 3,
        false if input.shape.required => 0,
        false if operation.one_of.iter().any(|name| name == input.name) => 1,
        false => 2,
    }
}

/// The shape of the value at `path` in the `with` of `operation`.
pub fn shape<'o>(operation: &'o Operation, path: &[Part]) -> Option<&'o Shape> {
    let (first, rest) = path.split_first()?;
    let name = first.key()?;
    let shape = operation.input(name)?.shape;
    rest.iter().try_fold(shape, |shape, part| match part {
        Part::Key(name) => {
            let variants = std::iter::once(shape).chain(&shape.any_of);
            variants.into_iter().find_map(|shape| shape.field(name))
        }
        Part::Item(_) => {
            let variants = std::iter::once(shape).chain(&shape.any_of);
            variants.into_iter().find_map(|shape| shape.items.as_deref())
        }
    })
}
