//! What a poller's event is, as its answer is described.

use crate::catalog::{Operation, path};
use crate::value::{Kind, Shape};

/// The shape of an item of a poller's list.
pub(super) fn item_shape(operation: &Operation) -> Option<&Shape> {
    let items = operation.list.as_ref()?.items.first()?;
    let shape = path::walk(operation.response.as_ref()?, items)?;
    match (path::is_list(items), shape.kind) {
        (false, Kind::Array) => shape.items.as_deref(),
        _ => Some(shape),
    }
}
